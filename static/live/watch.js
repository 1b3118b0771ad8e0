// @ts-check
// Watches one telephone call: where it is, whose turn it is, and what both sides say.

import { byId, isAtEnd, make } from "../console/dom.js";
import { formatMs } from "../console/latency.js";
import { formatClock, shownState } from "../console/states.js";
import { Turns } from "./turns.js";

/** @typedef {import("./turns.js").Turn} Turn */
/**
 * @typedef {object} Call
 * @property {string} status
 * @property {string} status_words
 * @property {boolean} is_over
 * @property {string} answered_by
 * @property {string} end_reason
 * @property {string} error
 * @property {string} answered_at
 * @property {string} ended_at
 * @property {string} session
 */

const NAMES = { caller: "Caller", agent: "Agent" };
const RETRY_SECONDS = 2;
/** Beyond it the oldest announcements go; a live region needs no past. */
const MOST_ANNOUNCED = 20;
/** @type {Record<string, string>} */
const LOOKS = { idle: "idle", busy: "busy", live: "live", problem: "problem" };

const root = byId("watch", HTMLElement);
const box = byId("transcript-box", HTMLElement);
const list = byId("transcript", HTMLElement);
const announcer = byId("announcer", HTMLElement);
const clock = byId("clock", HTMLElement);

const turns = new Turns();
/** @type {Map<string, HTMLElement>} */
const items = new Map();
/** @type {Set<string>} */
const announced = new Set();
/** @type {Call | null} */
let call = null;
let state = "";
let isEnded = false;

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}${root.dataset.socketPath}`);
  let isOpen = false;
  socket.addEventListener("open", () => {
    isOpen = true;
    problem("");
  });
  socket.addEventListener("message", ({ data }) => take(JSON.parse(data)));
  socket.addEventListener("close", ({ code }) => {
    if (code === 1000 || isEnded) return;
    problem(isOpen ? "The connection was lost. Trying again." : "The call cannot be watched now. Trying again.");
    setTimeout(connect, RETRY_SECONDS * 1000);
  });
}

/** @param {any} message */
function take(message) {
  if (message.type === "call") showCall(message);
  if (message.type === "facts") {
    state = message.state;
    showState();
    for (const turn of turns.receive(message.turns)) showTurn(turn);
    showLatency();
  }
  if (message.type === "stored") {
    isEnded = true;
    if (turns.replace(message.turns)) {
      items.clear();
      list.replaceChildren();
      for (const turn of turns.all) showTurn(turn, false);
    }
    showState();
    showLatency();
  }
}

// --- the call ---------------------------------------------------------------------------------------------------------

/** @param {Call} fresh */
function showCall(fresh) {
  call = fresh;
  byId("status", HTMLElement).textContent = fresh.status_words;
  row("answered-by", fresh.answered_by);
  row("outcome", fresh.end_reason);
  row("error", fresh.error);
  const form = document.getElementById("hang-up-form");
  if (form) form.hidden = fresh.is_over;
  const link = byId("conversation", HTMLAnchorElement);
  link.hidden = !(fresh.is_over && fresh.session);
  if (fresh.session) link.href = `${link.dataset.address}${fresh.session}/change/`;
  if (fresh.is_over) byId("transcript-empty", HTMLElement).textContent = "Nothing was said.";
  showState();
  showClock();
}

/**
 * @param {string} name
 * @param {string} words
 */
function row(name, words) {
  byId(`${name}-row`, HTMLElement).hidden = !words;
  byId(name, HTMLElement).textContent = words;
}

function showState() {
  const shown = !call || call.status === "in-progress"
    ? shownState("live", state)
    : { word: call.status_words, look: call.is_over ? "idle" : "busy" };
  const word = byId("state-word", HTMLElement);
  // A live region speaks whenever its text is set, even to the same.
  if (word.textContent !== shown.word) word.textContent = shown.word;
  byId("state", HTMLElement).dataset.state = LOOKS[shown.look] ?? "idle";
}

function showClock() {
  clock.hidden = !call?.answered_at;
  if (!call?.answered_at) return;
  const until = call.ended_at ? Date.parse(call.ended_at) : Date.now();
  clock.textContent = formatClock(until - Date.parse(call.answered_at));
}

/** @param {string} words */
function problem(words) {
  byId("problem", HTMLElement).hidden = !words;
  byId("problem-text", HTMLElement).textContent = words;
}

function showLatency() {
  const { latency } = turns;
  row("latency", latency === null ? "" : formatMs(latency));
}

// --- what is said -----------------------------------------------------------------------------------------------------

/**
 * @param {Turn} turn new or changed
 * @param {boolean} isTold whether a screen reader hears of it
 */
function showTurn(turn, isTold = true) {
  const follows = isAtEnd(box);
  let item = items.get(turn.key);
  if (!item) {
    item = make("li", "");
    items.set(turn.key, item);
    list.append(item);
    byId("transcript-empty", HTMLElement).hidden = true;
  }
  item.className = `turn turn-${turn.speaker}${turn.is_final ? "" : " turn-interim"}`;
  item.replaceChildren(...content(turn));
  if (follows) box.scrollTop = box.scrollHeight;
  if (isTold && turn.is_final && !announced.has(turn.key)) announce(turn);
}

/** @param {Turn} turn */
function content(turn) {
  const who = make("p", "turn-who", make("span", "", NAMES[turn.speaker]));
  if (turn.is_interrupted) who.append(make("em", "", "interrupted"));
  const words = make("p", "turn-text", turn.text);
  if (turn.unheard) words.append(turn.text ? " " : "", make("s", "", turn.unheard));
  if (!turn.text && !turn.unheard) words.append("(nothing was heard)");
  const parts = [who, words];
  if (turn.total_ms !== null) parts.push(make("p", "turn-latency", `answered after ${formatMs(turn.total_ms)}`));
  return parts;
}

/** @param {Turn} turn */
function announce(turn) {
  announced.add(turn.key);
  announcer.append(make("p", "", `${NAMES[turn.speaker]}: ${turn.text}`));
  while (announcer.childElementCount > MOST_ANNOUNCED) announcer.firstElementChild?.remove();
}

setInterval(showClock, 500);
connect();
