// @ts-check
// The conversation as it is known so far: a list of turns, changed by the server's events and nothing else.

import { number, text } from "./protocol.js";

/**
 * @typedef {object} Turn
 * @property {string} key
 * @property {"caller" | "agent" | "note"} speaker
 * @property {string} text
 * @property {boolean} isFinal
 * @property {boolean} isTyped
 * @property {boolean} isInterrupted
 * @property {string} unheard of an interrupted reply: what was generated and never heard
 * @property {number | null} confidence
 */

/** @typedef {import("./protocol.js").ServerEvent} ServerEvent */

export class Transcript {
  /** @type {Turn[]} */
  turns = [];
  #notes = 0;

  /**
   * Take one event of the server.
   * @param {ServerEvent} event
   * @returns {Turn | null} the turn that changed
   */
  receive({ type, payload }) {
    switch (type) {
      case "transcript.interim": return this.#hear(payload, false);
      case "transcript.final": return this.#hear(payload, true);
      case "conversation.response.token": return this.#add(payload);
      case "conversation.response.complete": return this.#complete(payload);
      case "audio.output.cancel": return this.#cancel(payload);
      default: return null;
    }
  }

  /**
   * Show what was typed before the server confirms it.
   * @param {string} id of the event that carries it
   * @param {string} words
   */
  type(id, words) {
    return this.#put({ key: `typed ${id}`, speaker: "caller", text: words.trim(), isFinal: true, isTyped: true });
  }

  /**
   * Say something about the call itself.
   * @param {string} words
   */
  note(words) {
    this.#notes += 1;
    return this.#put({ key: `note ${this.#notes}`, speaker: "note", text: words, isFinal: true });
  }

  clear() {
    this.turns = [];
  }

  /**
   * @param {Record<string, unknown>} payload
   * @param {boolean} isFinal
   */
  #hear(payload, isFinal) {
    const words = text(payload, "text").trim();
    const key = `caller ${text(payload, "utteranceId")}`;
    const turn = this.#find(key);
    if (!turn && !words) return null;
    if (!turn && isFinal && this.#confirm(words, key)) return null;
    const confidence = typeof payload.confidence === "number" ? number(payload, "confidence") : null;
    if (!turn) return this.#put({ key, speaker: "caller", text: words, isFinal, confidence });
    if (turn.isFinal && !isFinal) return null;
    return Object.assign(turn, { text: words || turn.text, isFinal, confidence });
  }

  /**
   * A server may give a typed turn back as a transcript, once.
   * @param {string} words
   * @param {string} key
   */
  #confirm(words, key) {
    const last = this.turns.findLast((turn) => turn.speaker === "caller");
    if (!last?.key.startsWith("typed ") || last.text !== words) return false;
    last.key = key;
    return true;
  }

  /** @param {Record<string, unknown>} payload */
  #add(payload) {
    const turn = this.#reply(payload);
    if (turn.isFinal) return null;
    turn.text += text(payload, "token");
    return turn;
  }

  /** @param {Record<string, unknown>} payload */
  #complete(payload) {
    const turn = this.#reply(payload);
    if (turn.isInterrupted) return null;
    return Object.assign(turn, { text: text(payload, "text") || turn.text, isFinal: true });
  }

  /** @param {Record<string, unknown>} payload */
  #cancel(payload) {
    const turn = this.#find(`agent ${text(payload, "utteranceId")}`);
    if (!turn || turn.isInterrupted) return null;
    const heard = text(payload, "heardText").trim();
    const unheard = turn.text.startsWith(heard) ? turn.text.slice(heard.length).trim() : "";
    return Object.assign(turn, { text: heard, unheard, isFinal: true, isInterrupted: true });
  }

  /** @param {Record<string, unknown>} payload */
  #reply(payload) {
    const key = `agent ${text(payload, "utteranceId")}`;
    return this.#find(key) ?? this.#put({ key, speaker: "agent" });
  }

  /** @param {string} key */
  #find(key) {
    return this.turns.findLast((turn) => turn.key === key);
  }

  /** @param {Partial<Turn> & Pick<Turn, "key" | "speaker">} turn */
  #put(turn) {
    const whole = {
      text: "", isFinal: false, isTyped: false, isInterrupted: false, unheard: "", confidence: null, ...turn,
    };
    this.turns.push(whole);
    return whole;
  }
}
