// Log In is sent once: a second click while the first is on its way would throw its answer away, and begin anew.
(() => {
  "use strict";

  const form = document.querySelector("[data-once]");
  let isSent = false;
  document.addEventListener("submit", (event) => {
    if (event.target !== form || event.defaultPrevented) return;
    if (isSent) event.preventDefault();
    isSent = true;
  });
  window.addEventListener("pageshow", () => {
    isSent = false; // the page came back, by the browser's button
  });
})();
