// What helps with a new password: a box that shows what is typed, and a meter that says how strong it is.
// Without JavaScript neither is there. The server decides in the end; nothing that is typed is sent before Save.
(() => {
  "use strict";

  const PAUSE = 200; // milliseconds without a key: a screen reader is not to read at each one

  document.querySelectorAll("[data-shows]").forEach((offer) => {
    const field = document.getElementById(offer.dataset.shows);
    const box = offer.querySelector("input");
    if (!field || !box) return;
    box.addEventListener("change", () => {
      field.type = box.checked ? "text" : "password";
    });
    field.form.addEventListener("submit", () => {
      field.type = "password"; // a browser may keep what it has seen as text
    });
    offer.hidden = false;
  });

  document.querySelectorAll("[data-meter]").forEach((meter) => {
    const field = document.getElementById(meter.dataset.meter);
    if (!field) return;
    let loading = null;
    let timer = 0;

    // The list is larger than the page, so it is loaded by the first key.
    async function load() {
      const [estimator, answer] = await Promise.all([import(meter.dataset.estimator), fetch(meter.dataset.list)]);
      if (!answer.ok) throw new Error("no list");
      return { estimator, common: estimator.readWords(await answer.text()) };
    }

    async function measure() {
      loading ??= load();
      try {
        const { estimator, common } = await loading;
        show(judge(field.value, estimator, common));
      } catch {
        loading = null; // out of reach just now: tried again at the next key, and the server judges in any case
        show(null);
      }
    }

    // What a password is: the name of the words for it, and how many bars.
    function judge(typed, estimator, common) {
      if (typed === "") return null;
      const length = [...typed.normalize("NFC")].length;
      if (length < Number(meter.dataset.minimum)) return ["short", 1];
      if (length > Number(meter.dataset.maximum)) return ["long", 1];
      const own = new Set(meter.dataset.own.split(" ").filter(Boolean));
      const strength = estimator.rate(typed, common, own);
      if (strength === estimator.STRONG) return ["strong", 3];
      if (strength === estimator.MEDIUM) return ["medium", 2];
      return [estimator.isBuiltOn(estimator.fold(typed), common, own) ? "ownWord" : "weak", 1];
    }

    function show(judged) {
      meter.hidden = false; // a region that speaks has to be there before its words
      const says = meter.querySelector("[data-says]");
      const words = judged ? meter.dataset[judged[0]] : "";
      meter.dataset.bars = judged ? judged[1] : 0;
      if (says.textContent !== words) says.textContent = words;
    }

    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(measure, PAUSE);
    });
    show(null);
    if (field.value) measure(); // a browser or a password manager has filled it
  });
})();
