// The box of a robot check's service: it fits the page, and where its script does not come, the embedded check does.
(() => {
  const LONGEST_WAIT = 8000;
  const COMFORTABLE_WIDTH = 304;
  const box = document.currentScript.previousElementSibling;
  const place = box.parentElement;

  box.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  if (place.clientWidth < COMFORTABLE_WIDTH) box.dataset.size = "compact";

  function giveUp() {
    const embedded = document.querySelector("[data-robot-embedded]");
    if (embedded) embedded.hidden = false;
    place.remove();
  }

  // Each service's script puts the field into its box that carries the answer.
  function isThere() {
    return box.querySelector(`[name="${place.dataset.robotService}"]`) !== null;
  }

  // The summary of what is wrong leads to the embedded box, which is hidden while this one stands here.
  function lead(event) {
    if (!place.isConnected) return;
    event.preventDefault();
    place.scrollIntoView({ block: "center" });
  }

  document.querySelectorAll('a[href="#robot"]').forEach((link) => link.addEventListener("click", lead));
  addEventListener("error", (event) => place.contains(event.target) && giveUp(), true);
  addEventListener("DOMContentLoaded", () => setTimeout(() => isThere() || giveUp(), LONGEST_WAIT));
})();
