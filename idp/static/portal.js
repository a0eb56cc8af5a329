// The portal's two menus. This runs before the page is drawn, so that a menu left open does not flash.
(() => {
  "use strict";

  const root = document.documentElement;
  const remembered = "portal-menu";

  function recall() {
    try {
      return localStorage.getItem(remembered);
    } catch {
      return null; // storage is refused: the menu then starts as the server drew it
    }
  }

  function remember(state) {
    try {
      localStorage.setItem(remembered, state);
    } catch {
      // storage is refused: the menu forgets, and nothing else changes
    }
  }

  const before = recall();
  if (before === "shown" || before === "hidden") root.dataset.menu = before;

  function setExpanded(button, shown) {
    button.setAttribute("aria-expanded", String(shown));
  }

  function prepareMenu(button, menu) {
    const isShown = () => root.dataset.menu === "shown";
    const show = (shown) => {
      root.dataset.menu = shown ? "shown" : "hidden";
      setExpanded(button, shown);
      remember(root.dataset.menu);
    };
    setExpanded(button, isShown());
    button.addEventListener("click", (event) => {
      event.preventDefault();
      show(!isShown());
    });
    document.addEventListener("keydown", (event) => {
      const focused = document.activeElement;
      const here = focused === button || focused === document.body || menu.contains(focused);
      if (event.key !== "Escape" || event.defaultPrevented || !isShown() || !here) return;
      show(false);
      button.focus();
    });
  }

  function prepareProfile(button, profile) {
    const show = (shown) => {
      profile.hidden = !shown;
      setExpanded(button, shown);
    };
    button.addEventListener("click", (event) => {
      event.preventDefault();
      show(profile.hidden);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || profile.hidden) return;
      event.preventDefault(); // one press closes one menu
      show(false);
      button.focus();
    });
    document.addEventListener("click", (event) => {
      if (!profile.contains(event.target) && !button.contains(event.target)) show(false);
    });
    profile.addEventListener("focusout", (event) => {
      const next = event.relatedTarget;
      if (next && !profile.contains(next) && next !== button) show(false);
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    const find = (id) => document.getElementById(id);
    prepareProfile(find("profile-button"), find("profile"));
    prepareMenu(find("menu-button"), find("menu"));
  });
})();
