// Says beside the summary how many characters are left. The server counts, too, and says so when there are too many.
(() => {
  "use strict";

  const summary = document.getElementById("summary");
  const left = document.getElementById("summary-left");
  if (!summary || !left) return;
  const longest = Number(summary.dataset.longest);
  const near = 100;

  function say() {
    const rest = longest - [...summary.value].length;
    const words = rest < 0 ? left.dataset.over : left.dataset.left;
    left.textContent = words.replace("{number}", String(Math.abs(rest)));
    left.setAttribute("aria-live", rest < near ? "polite" : "off");
  }

  summary.addEventListener("input", say);
  say();
  left.hidden = false;
})();
