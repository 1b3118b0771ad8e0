// @ts-check
// One call from the console's side: connect, start, keep alive, come back after a loss, end.

import { MOST_TRIES, closeMeaning, retryDelay } from "./closing.js";
import { isError, pack, say, text, unpack } from "./protocol.js";

/** @typedef {import("./protocol.js").ServerEvent} ServerEvent */
/** @typedef {import("./protocol.js").ClientEvent} ClientEvent */
/** @typedef {import("./protocol.js").StartOptions} StartOptions */

/** @typedef {"idle" | "connecting" | "live" | "waiting" | "ending"} Phase */
/** @typedef {{ phase: Phase, detail: string, isProblem: boolean }} Status */

/**
 * @typedef {object} Listener
 * @property {(status: Status) => void} onStatus
 * @property {(event: ServerEvent) => void} onEvent
 * @property {(event: ClientEvent) => void} onSent
 * @property {(type: string, detail: Record<string, unknown>) => void} onNote facts about the connection, for the log
 * @property {(isOver: boolean) => void} onDisconnected isOver: the server had nothing more to say
 */

/**
 * @typedef {object} Surroundings
 * @property {() => WebSocket} openSocket
 * @property {() => Promise<{ text: string, mayRetry: boolean }>} explainRefusal why a handshake failed; a browser does not say
 * @property {() => number} now milliseconds
 * @property {() => number} random from 0 to 1
 * @property {(work: () => void, ms: number) => number} setTimer
 * @property {(timer: number) => void} clearTimer
 */

const START_MS = 8000;
const HEARTBEAT_MS = 15000;
const ANSWER_MS = 10000;
const GOODBYE_MS = 20000;
const STEADY_MS = 10000;
/** About four seconds of audio. With more waiting to be sent, the network is too slow, and old audio helps nobody. */
const MOST_BUFFERED_BYTES = 128 * 1024;

export class Call {
  /** @type {Phase} */
  phase = "idle";
  sessionId = "";
  #listener;
  #surroundings;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {StartOptions} */
  #options = {};
  #isStarted = false;
  #isDropping = false;
  #startId = "";
  #failure = "";
  #tries = 0;
  #liveSince = 0;
  /** @type {Map<string, number>} */
  #timers = new Map();

  /**
   * @param {Listener} listener
   * @param {Surroundings} surroundings
   */
  constructor(listener, surroundings) {
    this.#listener = listener;
    this.#surroundings = surroundings;
  }

  get isActive() {
    return this.phase !== "idle";
  }

  // --- what the person at the page does ---

  /** @param {StartOptions} options */
  start(options) {
    if (this.isActive) return;
    this.#options = options;
    this.#tries = 0;
    this.#connect();
  }

  /** Ask for a goodbye; asked again, or without an answer, hang up. */
  end() {
    if (this.phase !== "live") {
      this.#finish("The call is over.", false);
      return;
    }
    this.#show("ending", "The agent says goodbye.");
    this.#send(say.endCall());
    this.#after("goodbye", GOODBYE_MS, () => this.#finish("The call is over.", false));
  }

  /** The page goes away. */
  leave() {
    if (this.#isOpen) this.#send(say.disconnect());
    this.#finish("The call is over.", false);
  }

  interrupt() {
    if (this.#isStarted) this.#send(say.interrupt());
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    if (this.#isStarted) this.#send(say.mute(isMuted));
  }

  /**
   * @param {string} words
   * @returns {string} the event's id; empty when there is no call
   */
  type(words) {
    return this.#isStarted && this.phase === "live" ? this.#send(say.text(words)) : "";
  }

  retryNow() {
    if (this.phase === "waiting") this.#connect();
  }

  // --- audio ---

  /**
   * @param {Uint8Array} pcm
   * @param {boolean} isMuted
   */
  hear(pcm, isMuted) {
    if (!this.#isStarted || !this.#isOpen) return;
    const isTooSlow = Number(this.#socket?.bufferedAmount) > MOST_BUFFERED_BYTES;
    if (isTooSlow && !this.#isDropping) this.#listener.onNote("audio.failed", { reason: "the network is too slow" });
    this.#isDropping = isTooSlow;
    if (!isTooSlow) this.#send(say.chunk(pcm, isMuted));
  }

  /** The microphone is gone: what was said so far is a finished turn. */
  endInput() {
    if (this.#isStarted) this.#send(say.end());
  }

  /**
   * @param {string} utteranceId
   * @param {number} playedMs
   */
  played(utteranceId, playedMs) {
    if (this.#isStarted && this.#isOpen) this.#send(say.played(utteranceId, playedMs));
  }

  // --- the connection ---

  get #isOpen() {
    return this.#socket?.readyState === 1;
  }

  #connect() {
    this.#clearTimers();
    this.#isStarted = false;
    this.sessionId = "";
    this.#failure = "";
    this.#show("connecting", this.#tries ? "Connecting again." : "Connecting.");
    const socket = this.#surroundings.openSocket();
    this.#socket = socket;
    let hasOpened = false;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      hasOpened = true;
    };
    socket.onmessage = ({ data }) => this.#read(data);
    socket.onclose = ({ code, reason }) => this.#closed(code, reason, hasOpened);
    this.#after("start", START_MS, () => this.#drop("The server did not start the call in time."));
  }

  /** @param {unknown} frame */
  #read(frame) {
    let event;
    try {
      event = unpack(frame instanceof ArrayBuffer ? frame : new Uint8Array());
    } catch (error) {
      this.#listener.onNote("frame.failed", { reason: String(error) });
      return;
    }
    this.#listener.onEvent(event);
    this.#clear("answer");
    if (event.type === "connection.lifecycle.ack") this.#greet(event);
    else if (event.id === this.#startId && event.type === "audio.input.start") this.#began();
    else if (isError(event.type) && event.requestType === "audio.input.start") this.#drop(text(event.payload, "message"));
    else if (this.phase === "ending") this.#after("goodbye", GOODBYE_MS, () => this.#finish("The call is over.", false));
  }

  /** @param {ServerEvent} event */
  #greet(event) {
    this.sessionId = event.sessionId || text(event.payload, "sessionId");
    this.#isStarted = true;
    this.#startId = this.#send(say.start(this.#options));
  }

  #began() {
    this.#clear("start");
    this.#liveSince = this.#surroundings.now();
    this.#show("live", "");
    this.#beat();
  }

  #beat() {
    this.#after("beat", HEARTBEAT_MS, () => {
      this.#send(say.heartbeat());
      this.#after("answer", ANSWER_MS, () => this.#drop("", true));
      this.#beat();
    });
  }

  /**
   * Close a connection that is of no use. Its close event may take long to come, so it is not waited for.
   * @param {string} failure why the call cannot go on; empty: the next connection may do better
   * @param {boolean} [isSilent] the other side does not answer any more
   */
  #drop(failure, isSilent = false) {
    this.#failure = failure;
    this.#forget();
    this.#closed(isSilent ? 1006 : 1000, "", true);
  }

  #forget() {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  /**
   * @param {number} code
   * @param {string} reason
   * @param {boolean} hasOpened
   */
  #closed(code, reason, hasOpened) {
    this.#clearTimers();
    this.#socket = null;
    const { now } = this.#surroundings;
    if (this.#liveSince && now() - this.#liveSince > STEADY_MS) this.#tries = 0;
    this.#liveSince = 0;
    this.#isStarted = false;
    this.#listener.onNote("connection.closed", { code, ...(reason && { reason }) });
    const meaning = closeMeaning(code);
    if (this.#failure) this.#finish(this.#failure, true);
    else if (this.phase === "ending") this.#finish("The call is over.", false, true);
    else if (!meaning.mayRetry) this.#finish(meaning.text, !meaning.isOver, meaning.isOver);
    else if (hasOpened) this.#retry(meaning.text);
    else void this.#retryRefused();
  }

  async #retryRefused() {
    this.#show("waiting", "The connection was refused.", true);
    const { text: why, mayRetry } = await this.#surroundings.explainRefusal();
    if (this.phase !== "waiting") return;
    if (mayRetry) this.#retry(why);
    else this.#finish(why, true);
  }

  /** @param {string} why */
  #retry(why) {
    this.#tries += 1;
    if (this.#tries > MOST_TRIES) {
      this.#finish(`${why} Gave up after ${MOST_TRIES} tries.`, true);
      return;
    }
    this.#listener.onDisconnected(false);
    const delay = retryDelay(this.#tries, this.#surroundings.random());
    this.#show("waiting", `${why} Trying again in ${Math.max(1, Math.round(delay / 1000))} s.`, true);
    this.#after("retry", delay, () => this.#connect());
  }

  /**
   * @param {string} detail
   * @param {boolean} isProblem
   * @param {boolean} [isOver] everything that was sent may be played to its end
   */
  #finish(detail, isProblem, isOver = false) {
    this.#clearTimers();
    this.#forget();
    this.#isStarted = false;
    if (!this.isActive) return;
    this.#listener.onDisconnected(isOver);
    this.#show("idle", detail, isProblem);
  }

  /** @param {ClientEvent} event */
  #send(event) {
    if (!this.#socket || !this.#isOpen) return "";
    this.#socket.send(pack(event, this.sessionId));
    this.#listener.onSent(event);
    return event.id;
  }

  /**
   * @param {Phase} phase
   * @param {string} detail
   * @param {boolean} [isProblem]
   */
  #show(phase, detail, isProblem = false) {
    this.phase = phase;
    this.#listener.onStatus({ phase, detail, isProblem });
  }

  /**
   * @param {string} name
   * @param {number} ms
   * @param {() => void} work
   */
  #after(name, ms, work) {
    this.#clear(name);
    this.#timers.set(name, this.#surroundings.setTimer(work, ms));
  }

  /** @param {string} name */
  #clear(name) {
    const timer = this.#timers.get(name);
    if (timer !== undefined) this.#surroundings.clearTimer(timer);
    this.#timers.delete(name);
  }

  #clearTimers() {
    for (const name of [...this.#timers.keys()]) this.#clear(name);
  }
}
