// @ts-check
/** Names the parts of the theme's page that it leaves nameless for screen readers. */

const content = document.getElementById("content");
content?.setAttribute("role", "main");
content?.setAttribute("tabindex", "-1");

const filter = document.getElementById("nav-filter");
filter?.setAttribute("placeholder", "Find a page");
filter?.setAttribute("aria-label", "Find a page of the menu");

/**
 * Select2 names its boxes by what is chosen alone; the field's label goes before that.
 * @param {Element} box
 */
function nameBox(box) {
  const search = box.querySelector(".select2-search__field");
  const owner = /^select2-(.+)-results$/.exec(search?.getAttribute("aria-controls") ?? "")?.[1];
  const select = owner ? document.getElementById(owner) : box.previousElementSibling;
  const label = select instanceof HTMLSelectElement ? select.labels[0] : undefined;
  if (!label) return;
  label.id ||= `${select?.id}-label`;
  search?.setAttribute("aria-labelledby", label.id);
  const selection = box.querySelector(".select2-selection");
  const chosen = selection?.querySelector(".select2-selection__rendered");
  if (chosen?.getAttribute("role") === "textbox") chosen.setAttribute("aria-labelledby", label.id);
  selection?.setAttribute("aria-labelledby", [label.id, chosen?.id].filter(Boolean).join(" "));
}

function nameBoxes() {
  for (const box of document.querySelectorAll(".select2-container")) nameBox(box);
}

nameBoxes();
// They are made after this has run, with each row that is added to a form, and at each opening.
new MutationObserver((changes) => {
  const isBox = (/** @type {Node} */ node) => node instanceof Element && node.matches(".select2-container");
  if (changes.some(({ addedNodes }) => [...addedNodes].some(isBox))) nameBoxes();
}).observe(document.body, { childList: true, subtree: true });
