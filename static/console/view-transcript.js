// @ts-check
// The conversation on the page, and as a screen reader hears it.

import { byId, isAtEnd, make } from "./dom.js";
import { formatMs } from "./latency.js";

/** @typedef {import("./transcript.js").Turn} Turn */

const NAMES = { caller: "You", agent: "Agent", note: "" };
/** Beyond it the oldest announcements go; a live region needs no past. */
const MOST_ANNOUNCED = 20;

export class TranscriptView {
  #box = byId("transcript-box", HTMLElement);
  #list = byId("transcript", HTMLElement);
  #empty = byId("transcript-empty", HTMLElement);
  #announcer = byId("announcer", HTMLElement);
  /** @type {Map<Turn, HTMLElement>} */
  #items = new Map();
  /** @type {Set<Turn>} */
  #announced = new Set();

  /** @param {Turn} turn new or changed */
  show(turn) {
    const follows = isAtEnd(this.#box);
    const item = this.#items.get(turn) ?? this.#append(turn);
    item.className = `turn turn-${turn.speaker}${turn.isFinal ? "" : " turn-interim"}`;
    item.replaceChildren(...content(turn), ...item.querySelectorAll(".turn-latency"));
    if (follows) this.#box.scrollTop = this.#box.scrollHeight;
    if (turn.isFinal && !this.#announced.has(turn)) this.#announce(turn);
  }

  /**
   * @param {Turn} turn
   * @param {number} totalMs
   */
  showLatency(turn, totalMs) {
    const item = this.#items.get(turn);
    const follows = isAtEnd(this.#box);
    item?.querySelector(".turn-latency")?.remove();
    item?.append(make("p", "turn-latency", `answered after ${formatMs(totalMs)}`));
    if (follows) this.#box.scrollTop = this.#box.scrollHeight;
  }

  clear() {
    this.#items.clear();
    this.#announced.clear();
    this.#list.replaceChildren();
    this.#announcer.replaceChildren();
    this.#empty.hidden = false;
  }

  /** @param {Turn} turn */
  #append(turn) {
    const item = make("li", "");
    this.#items.set(turn, item);
    this.#list.append(item);
    this.#empty.hidden = true;
    return item;
  }

  /** @param {Turn} turn */
  #announce(turn) {
    this.#announced.add(turn);
    const name = NAMES[turn.speaker];
    this.#announcer.append(make("p", "", name ? `${name}: ${turn.text}` : turn.text));
    while (this.#announcer.childElementCount > MOST_ANNOUNCED) this.#announcer.firstElementChild?.remove();
  }
}

/** @param {Turn} turn */
function content(turn) {
  if (turn.speaker === "note") return [turn.text];
  const marks = [turn.isTyped && "typed", turn.isInterrupted && "interrupted"].filter(Boolean).join(", ");
  const who = make("p", "turn-who", make("span", "", NAMES[turn.speaker]));
  if (marks) who.append(make("em", "", marks));
  const words = make("p", "turn-text", turn.text);
  if (turn.unheard) words.append(turn.text ? " " : "", make("s", "", turn.unheard));
  if (turn.isInterrupted && !turn.text && !turn.unheard) words.append("(nothing was heard)");
  return [who, words];
}
