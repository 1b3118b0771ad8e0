// @ts-check
// What went over the socket, in lines one can read, filter and copy. Runs of audio or of tokens become one line.

import { text } from "./protocol.js";

/**
 * @typedef {object} Line
 * @property {number} id
 * @property {number} atMs since the log began
 * @property {"in" | "out" | "local"} direction
 * @property {string} type
 * @property {string} detail
 * @property {number} count frames in this line
 * @property {number} bytes of audio in this line
 * @property {string} utteranceId of the reply it is about, if any
 * @property {string} words of the tokens in this line
 */

/** @typedef {{ words: string, kind: "all" | "in" | "out" | "errors", isAudioShown: boolean }} Filter */

const MOST_LINES = 2000;
const AUDIO = new Set(["audio.input.chunk", "audio.output.chunk", "audio.output.played"]);
const TOKEN = "conversation.response.token";
const ARROWS = { in: "←", out: "→", local: "·" };

export class EventLog {
  /** @type {Line[]} */
  lines = [];
  #began;
  #now;
  #nextId = 1;

  /** @param {() => number} now milliseconds */
  constructor(now) {
    this.#now = now;
    this.#began = now();
  }

  /**
   * @param {"in" | "out" | "local"} direction
   * @param {string} type
   * @param {Record<string, unknown>} payload
   * @returns {Line} the new line, or the one that grew
   */
  add(direction, type, payload = {}) {
    const bytes = payload.audio instanceof Uint8Array ? payload.audio.length : 0;
    const last = this.lines.findLast((line) => line.type === type || !AUDIO.has(line.type));
    if (last?.type === type && continues(last, payload)) {
      last.count += 1;
      last.bytes += bytes;
      last.words += text(payload, "token");
      last.detail = describe(payload, last);
      return last;
    }
    const line = {
      id: this.#nextId, atMs: this.#now() - this.#began, direction, type, detail: "", count: 1, bytes,
      utteranceId: text(payload, "utteranceId"), words: text(payload, "token"),
    };
    this.#nextId += 1;
    line.detail = describe(payload, line);
    this.lines.push(line);
    if (this.lines.length > MOST_LINES) this.lines.shift();
    return line;
  }

  clear() {
    this.lines = [];
  }

  /** @param {Filter} filter */
  filtered(filter) {
    return this.lines.filter((line) => matches(line, filter));
  }

  /** @param {Filter} filter */
  toText(filter) {
    return this.filtered(filter).map(lineText).join("\n");
  }
}

/**
 * @param {Line} line
 * @param {Filter} filter
 */
export function matches(line, filter) {
  if (!filter.isAudioShown && AUDIO.has(line.type)) return false;
  if (filter.kind === "errors" && !isProblem(line)) return false;
  if ((filter.kind === "in" || filter.kind === "out") && line.direction !== filter.kind) return false;
  const words = filter.words.trim().toLowerCase();
  return !words || `${line.type} ${line.detail}`.toLowerCase().includes(words);
}

/** @param {Line} line */
export function isProblem(line) {
  return line.type.startsWith("error.") || line.type.endsWith(".failed");
}

/** @param {Line} line */
export function lineText(line) {
  return `${formatTime(line.atMs)} ${ARROWS[line.direction]} ${line.type} ${line.detail}`.trimEnd();
}

/**
 * Minutes, seconds and milliseconds: "01:02.345".
 * @param {number} ms
 */
export function formatTime(ms) {
  const whole = Math.max(0, Math.round(ms));
  const minutes = String(Math.floor(whole / 60000)).padStart(2, "0");
  return `${minutes}:${((whole % 60000) / 1000).toFixed(3).padStart(6, "0")}`;
}

/**
 * Whether an event belongs to the line before it, which has its type.
 * @param {Line} line
 * @param {Record<string, unknown>} payload
 */
function continues(line, payload) {
  return AUDIO.has(line.type) || (line.type === TOKEN && line.utteranceId === text(payload, "utteranceId"));
}

/**
 * @param {Record<string, unknown>} payload
 * @param {Line} line
 */
function describe(payload, line) {
  const { audio, ...rest } = line.words ? { ...payload, token: line.words } : payload;
  if (!(audio instanceof Uint8Array)) {
    const json = JSON.stringify(rest, (_key, value) => (typeof value === "bigint" ? String(value) : value));
    return (json === "{}" ? "" : json) + (line.count > 1 ? ` ×${line.count}` : "");
  }
  const size = line.bytes < 1024 ? `${line.bytes} B` : `${(line.bytes / 1024).toFixed(1)} KiB`;
  return `${line.count} ${line.count === 1 ? "frame" : "frames"}, ${size}`;
}
