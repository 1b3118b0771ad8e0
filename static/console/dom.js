// @ts-check
// Finding and making elements.

/**
 * Give the element with this id, which the template promises to be of this kind.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`the page has no ${kind.name} "${id}"`);
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className
 * @param {(string | Node)[]} content
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

/**
 * Whether a box is scrolled to its end, so that it should follow what is added.
 * @param {HTMLElement} box
 */
export function isAtEnd(box) {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 48;
}
