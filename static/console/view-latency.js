// @ts-check
// Bars and figures of where each answer's time went.

import { byId, make } from "./dom.js";
import { PARTS, formatMs, share, summary } from "./latency.js";

/** @typedef {import("./latency.js").Latency} Latency */

export class LatencyView {
  #summary = byId("latency-summary", HTMLElement);
  #turn = byId("latency-turn", HTMLElement);
  #bars = byId("latency-bars", HTMLElement);
  #history = byId("latency-history", HTMLElement);
  #rows = byId("latency-rows", HTMLElement);
  #explanation = this.#summary.textContent;
  /** @type {Latency[]} */
  #turns = [];

  constructor() {
    for (const { label, meaning } of PARTS) {
      const column = make("th", "", label);
      column.scope = "col";
      column.title = meaning;
      byId("latency-columns", HTMLElement).append(column);
    }
    this.clear();
  }

  /** @param {Latency} latency of one more answer */
  add(latency) {
    this.#turns.push(latency);
    const facts = summary(this.#turns);
    if (!facts) return;
    const answers = facts.count === 1 ? "1 answer" : `${facts.count} answers`;
    this.#summary.textContent = `${answers}: median ${formatMs(facts.median)}, slowest ${formatMs(facts.worst)}.`;
    this.#turn.textContent = `Answer ${facts.count}`;
    this.#bars.replaceChildren(...PARTS.map((part) => bar(latency, part)));
    this.#rows.prepend(row(facts.count, latency));
    this.#history.hidden = false;
  }

  clear() {
    this.#turns = [];
    this.#rows.replaceChildren();
    this.#summary.textContent = this.#explanation;
    this.#turn.textContent = "Latest answer";
    this.#bars.replaceChildren(...PARTS.map((part) => bar(null, part)));
    this.#history.hidden = true;
  }
}

/**
 * @param {Latency | null} latency null: there is none yet
 * @param {typeof PARTS[number]} part
 */
function bar(latency, { part, label, meaning }) {
  const fill = make("span", "");
  fill.style.width = latency ? `${share(latency, part) * 100}%` : "0";
  const track = make("dd", "bar", fill);
  track.setAttribute("aria-hidden", "true");
  const line = make("div", "", make("dt", "", label), track, make("dd", "", latency ? formatMs(latency[part]) : "–"));
  line.title = meaning;
  return line;
}

/**
 * @param {number} number
 * @param {Latency} latency
 */
function row(number, latency) {
  const head = make("th", "", String(number));
  head.scope = "row";
  return make("tr", "", head, ...PARTS.map(({ part }) => make("td", "", String(Math.round(latency[part])))));
}
