// @ts-check
// Light, dark, or as the system says. A classic script in the head: the page is never painted in the wrong theme first.

(() => {
  const KEY = "vantum-theme";
  const WORDS = { system: "System", light: "Light", dark: "Dark" };
  const ORDER = /** @type {(keyof typeof WORDS)[]} */ (Object.keys(WORDS));

  function stored() {
    try {
      return ORDER.find((theme) => theme === localStorage.getItem(KEY)) ?? "system";
    } catch {
      return "system"; // storage is switched off
    }
  }

  /** @param {keyof typeof WORDS} theme */
  function apply(theme) {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }

  /**
   * @param {HTMLElement} button
   * @param {keyof typeof WORDS} theme
   */
  function describe(button, theme) {
    const next = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
    button.setAttribute("aria-label", `Colours: ${WORDS[theme]}. Switch to ${WORDS[next]}.`);
    const word = document.getElementById("theme-word");
    if (word) word.textContent = WORDS[theme];
    return next;
  }

  let theme = stored();
  apply(theme);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    let next = describe(button, theme);
    button.hidden = false;
    button.addEventListener("click", () => {
      theme = next;
      apply(theme);
      next = describe(button, theme);
      try {
        localStorage.setItem(KEY, theme);
      } catch {
        // It then holds for this page only.
      }
    });
  });
})();
