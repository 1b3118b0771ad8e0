// @ts-check
// The console: ties the call, the sound and the views together.

import { Call } from "./call.js";
import { ControlsView } from "./view-controls.js";
import { EventLog } from "./eventlog.js";
import { LatencyView } from "./view-latency.js";
import { LogView } from "./view-log.js";
import { MicrophoneError } from "./microphone.js";
import { SetupView } from "./view-setup.js";
import { Sound } from "./sound.js";
import { Transcript } from "./transcript.js";
import { TranscriptView } from "./view-transcript.js";
import { byId } from "./dom.js";
import { explainRefusal } from "./states.js";
import { isError, number, text } from "./protocol.js";
import { readLatency } from "./latency.js";

/** @typedef {import("./protocol.js").ServerEvent} ServerEvent */
/** @typedef {import("./call.js").Status} Status */

class Page {
  #config = byId("console", HTMLElement).dataset;
  #setup = new SetupView();
  #controls = new ControlsView();
  #transcript = new Transcript();
  #transcriptView = new TranscriptView();
  #latencyView = new LatencyView();
  #log = new EventLog(() => performance.now());
  #logView = new LogView(this.#log);
  #call = this.#makeCall();
  #sound = this.#makeSound();
  #state = "INITIALIZING";
  #speaking = "";
  #liveSince = 0;
  #isOpening = false;
  /** @type {Set<string>} replies whose latency is shown */
  #measured = new Set();

  constructor() {
    this.#controls.on("start", () => void this.#startOrEnd());
    this.#controls.on("mute", () => this.#mute(!this.#sound.isMuted));
    this.#controls.on("interrupt", () => this.#interrupt());
    this.#controls.on("retry", () => this.#retry());
    this.#controls.onWords((words) => this.#type(words));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#state === "RESPONDING") this.#interrupt();
    });
    addEventListener("online", () => this.#call.retryNow());
    addEventListener("pagehide", () => this.#call.leave());
    setInterval(() => this.#tick(), 500);
    this.#render();
  }

  // --- what is pressed ---

  async #startOrEnd() {
    if (this.#call.isActive) this.#call.end();
    else if (!this.#isOpening) await this.#start(this.#setup.wantsMicrophone);
  }

  /** @param {boolean} wantsMicrophone */
  async #start(wantsMicrophone) {
    const options = this.#setup.read();
    if (!options) return;
    this.#isOpening = true;
    this.#setup.lock(true);
    this.#controls.showProblem("");
    this.#controls.showHint(wantsMicrophone ? "Your browser may ask whether this page may use the microphone." : "");
    this.#clear();
    try {
      this.#controls.showHint(await this.#sound.open(wantsMicrophone));
      this.#call.start(options);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isOpening = false;
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#setup.lock(false);
    this.#controls.showHint("");
    const words = error instanceof MicrophoneError ? error.message : `Sound could not be set up: ${error}`;
    this.#note("microphone.failed", { reason: words });
    this.#controls.showProblem(words, "Go on by typing");
  }

  #retry() {
    if (this.#call.phase === "waiting") this.#call.retryNow();
    else if (!this.#call.isActive && !this.#isOpening) {
      this.#setup.wantsMicrophone = false;
      void this.#start(false);
    }
  }

  /** @param {boolean} isMuted */
  #mute(isMuted) {
    this.#sound.mute(isMuted);
    this.#call.mute(isMuted);
    this.#controls.showMuted(isMuted);
  }

  /** Silence comes at once; the server confirms it and says what was heard. */
  #interrupt() {
    this.#sound.cancel(this.#speaking);
    this.#call.interrupt();
  }

  /** @param {string} words */
  #type(words) {
    const id = this.#call.type(words);
    if (!id) return false;
    this.#transcriptView.show(this.#transcript.type(id, words));
    return true;
  }

  // --- what the server says ---

  /** @param {ServerEvent} event */
  #receive(event) {
    const { type, payload, requestType } = event;
    this.#logView.show(this.#log.add("in", type, requestType ? { ...payload, requestType } : payload));
    const turn = this.#transcript.receive(event);
    if (turn) this.#transcriptView.show(turn);
    const utteranceId = text(payload, "utteranceId");
    if (type === "audio.output.chunk" && payload.audio instanceof Uint8Array) {
      this.#sound.play(utteranceId, payload.audio, number(payload, "sampleRate"));
    } else if (type === "conversation.response.start") this.#speaking = utteranceId;
    else if (type === "audio.output.cancel") this.#sound.cancel(utteranceId);
    else if (type === "conversation.state.changed") this.#enter(text(payload, "to"));
    else if (type === "call.metrics") this.#measure(utteranceId || this.#speaking, payload);
    else if (type === "conversation.response.complete") this.#complete(utteranceId, payload.metrics);
    else if (isError(type)) this.#controls.showProblem(text(payload, "message") || text(payload, "code"));
  }

  /**
   * @param {string} utteranceId
   * @param {unknown} metrics
   */
  #complete(utteranceId, metrics) {
    this.#sound.finish(utteranceId);
    this.#measure(utteranceId, metrics);
  }

  /** @param {string} state */
  #enter(state) {
    this.#state = state;
    this.#render();
  }

  /**
   * Both the metrics and the end of a reply carry figures; whichever comes first is shown.
   * @param {string} utteranceId
   * @param {unknown} figures
   */
  #measure(utteranceId, figures) {
    const latency = readLatency(/** @type {Record<string, unknown>} */ (figures ?? {}));
    if (!latency || this.#measured.has(utteranceId)) return;
    this.#measured.add(utteranceId);
    this.#latencyView.add(latency);
    const turn = this.#transcript.turns.findLast(({ key }) => key === `agent ${utteranceId}`);
    if (turn) this.#transcriptView.showLatency(turn, latency.total);
  }

  /** @param {Status} status */
  #follow({ phase, detail, isProblem }) {
    if (detail) this.#note(`call.${phase}`, { detail });
    if (phase === "waiting" && this.#liveSince) this.#say("The connection was lost. A new call begins when it is back.");
    this.#liveSince = phase === "live" ? performance.now() : 0;
    if (phase === "idle") void this.#sound.closeMicrophone();
    if (phase === "idle" || phase === "connecting") {
      this.#state = "INITIALIZING";
      this.#controls.showMuted(false);
    }
    if (isProblem) this.#controls.showProblem(detail, phase === "waiting" ? "Connect now" : "");
    else if (phase !== "idle") this.#controls.showProblem("");
    else if (this.#transcript.turns.length) this.#say(detail);
    this.#setup.lock(phase !== "idle");
    this.#render();
    if (phase === "live" && !this.#sound.hasMicrophone) this.#controls.focusWords();
  }

  /** @param {boolean} isOver everything that was sent may be played to its end */
  #disconnect(isOver) {
    if (!isOver) this.#sound.stop();
    if (this.#sound.isMuted) this.#sound.mute(false);
  }

  // --- showing ---

  #render() {
    this.#controls.show(this.#call.phase, this.#state, this.#sound.hasMicrophone);
    if (!this.#call.isActive) this.#controls.showClock(null);
  }

  #tick() {
    if (this.#call.phase === "live") this.#controls.showClock(performance.now() - this.#liveSince);
  }

  #clear() {
    this.#transcript.clear();
    this.#transcriptView.clear();
    this.#latencyView.clear();
    this.#measured.clear();
  }

  /** @param {string} words about the call itself, in the conversation */
  #say(words) {
    this.#transcriptView.show(this.#transcript.note(words));
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} detail
   */
  #note(type, detail) {
    this.#logView.show(this.#log.add("local", type, detail));
  }

  // --- the parts ---

  #makeCall() {
    const address = new URL(this.#config.socketPath ?? "", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    return new Call(
      {
        onStatus: (status) => this.#follow(status),
        onEvent: (event) => this.#receive(event),
        onSent: (event) => this.#logView.show(this.#log.add("out", event.type, event.payload)),
        onNote: (type, detail) => this.#note(type, detail),
        onDisconnected: (isOver) => this.#disconnect(isOver),
      },
      {
        openSocket: () => new WebSocket(address),
        explainRefusal: () => askHealth(String(this.#config.healthUrl)),
        now: () => performance.now(),
        random: Math.random,
        setTimer: (work, ms) => window.setTimeout(work, ms),
        clearTimer: (timer) => window.clearTimeout(timer),
      },
    );
  }

  #makeSound() {
    const { captureWorklet = "", playbackWorklet = "" } = this.#config;
    return new Sound(
      { capture: captureWorklet, playback: playbackWorklet },
      {
        onAudio: (pcm, dbfs, isMuted) => {
          this.#call.hear(pcm, isMuted);
          this.#controls.showLevel(dbfs, isMuted);
        },
        onPlayed: (utteranceId, playedMs) => this.#call.played(utteranceId, playedMs),
        onLost: (words) => {
          this.#call.endInput();
          this.#controls.showProblem(words);
          this.#render();
        },
        onSilence: (isSilent) =>
          this.#controls.showHint(
            isSilent ? "No sound arrives from the microphone. Is it switched off, or is another one chosen?" : "",
          ),
      },
    );
  }
}

/** @param {string} url */
async function askHealth(url) {
  try {
    const answer = await fetch(url, { cache: "no-store" });
    const { parts = {} } = await answer.json();
    return explainRefusal(answer.status, parts);
  } catch {
    return explainRefusal(0, {});
  }
}

new Page();
