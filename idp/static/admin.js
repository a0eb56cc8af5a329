// The console's comforts: a button that copies a value, and a form that is not sent twice by a double click.
(() => {
  "use strict";

  function select(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  async function copy(element, words) {
    try {
      await navigator.clipboard.writeText(element.textContent);
    } catch {
      select(element); // no right to the clipboard: the value is selected, for the keyboard to copy
      return;
    }
    words.textContent = element.dataset.copied;
    setTimeout(() => {
      words.textContent = element.dataset.copy;
    }, 3000);
  }

  for (const element of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    const words = document.createElement("span");
    const what = document.createElement("span");
    words.textContent = element.dataset.copy;
    words.setAttribute("aria-live", "polite");
    what.className = "visually-hidden";
    what.textContent = ` ${element.dataset.copyWhat}`;
    button.type = "button";
    button.className = "btn btn-outline-secondary copy-button";
    button.append(words, what);
    button.addEventListener("click", () => copy(element, words));
    element.after(button);
  }

  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  // A page that comes back by the back button has to be usable again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
  });
})();
