// @ts-check
// The event log on the page.

import { byId, isAtEnd, make } from "./dom.js";
import { formatTime, isProblem, matches } from "./eventlog.js";

/** @typedef {import("./eventlog.js").EventLog} EventLog */
/** @typedef {import("./eventlog.js").Line} Line */
/** @typedef {import("./eventlog.js").Filter} Filter */

const ARROWS = { in: "←", out: "→", local: "·" };

export class LogView {
  #log;
  #details = byId("log", HTMLDetailsElement);
  #box = byId("log-box", HTMLElement);
  #list = byId("log-lines", HTMLElement);
  #count = byId("log-count", HTMLElement);
  #said = byId("log-said", HTMLElement);
  #words = byId("log-words", HTMLInputElement);
  #kind = byId("log-kind", HTMLSelectElement);
  #audio = byId("log-audio", HTMLInputElement);
  /** @type {Map<number, HTMLElement>} */
  #items = new Map();

  /** @param {EventLog} log */
  constructor(log) {
    this.#log = log;
    for (const control of [this.#words, this.#kind, this.#audio]) control.addEventListener("input", () => this.#redraw());
    this.#details.addEventListener("toggle", () => this.#redraw());
    byId("log-copy", HTMLButtonElement).addEventListener("click", () => void this.#copy());
    byId("log-clear", HTMLButtonElement).addEventListener("click", () => {
      log.clear();
      this.#redraw();
      this.#say("Cleared.");
    });
  }

  /** @param {Line} line new or grown */
  show(line) {
    this.#showCount();
    if (!this.#details.open || !matches(line, this.#filter)) return;
    const follows = isAtEnd(this.#box);
    const shown = this.#items.get(line.id);
    if (shown) shown.replaceWith(this.#item(line));
    else this.#list.append(this.#item(line));
    if (this.#list.childElementCount > this.#log.lines.length) this.#redraw();
    if (follows) this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** @returns {Filter} */
  get #filter() {
    const kind = /** @type {Filter["kind"]} */ (this.#kind.value);
    return { words: this.#words.value, kind, isAudioShown: this.#audio.checked };
  }

  #showCount() {
    const { length } = this.#log.lines;
    this.#count.textContent = length ? `${length} ${length === 1 ? "line" : "lines"}` : "empty";
  }

  #redraw() {
    this.#showCount();
    this.#items.clear();
    if (!this.#details.open) return;
    this.#list.replaceChildren(...this.#log.filtered(this.#filter).map((line) => this.#item(line)));
    this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** @param {Line} line */
  #item(line) {
    const time = make("time", "", formatTime(line.atMs));
    const words = make("span", "", make("b", "", line.type), ` ${line.detail}`);
    const item = make("li", isProblem(line) ? "is-problem" : "", time, make("span", "", ARROWS[line.direction]), words);
    this.#items.set(line.id, item);
    return item;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#log.toText(this.#filter));
      this.#say("Copied.");
    } catch {
      // Plain http to another machine has no clipboard.
      getSelection()?.selectAllChildren(this.#list);
      this.#say("The browser does not let this page copy. The lines are selected: press Ctrl+C.");
    }
  }

  /** @param {string} words */
  #say(words) {
    this.#said.textContent = words;
  }
}
