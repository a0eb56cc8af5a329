// A box that shows what is typed into a password field; without JavaScript it is not there.
(() => {
  "use strict";

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
})();
