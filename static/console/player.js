// @ts-check
// The loudspeaker: the agent's replies, one after the other, and reports of what was really played.

import { running } from "./audio-context.js";
import { pcm16ToFloat } from "./pcm.js";
import { OUTPUT_HZ } from "./protocol.js";
import { Resampler } from "./resample.js";

/** @typedef {(utteranceId: string, playedMs: number) => void} OnPlayed */

export class Player {
  #context;
  #node;
  #onPlayed;
  /** Replies that were cancelled: what of them is still on its way is not played. */
  #cancelled = new Set();
  /** @type {{ utteranceId: string, rate: number, resampler: Resampler } | null} */
  #reply = null;

  /**
   * @param {AudioContext} context
   * @param {AudioWorkletNode} node
   * @param {OnPlayed} onPlayed
   */
  constructor(context, node, onPlayed) {
    this.#context = context;
    this.#node = node;
    this.#onPlayed = onPlayed;
    node.port.onmessage = ({ data }) => this.#report(data);
  }

  /**
   * Call it from a click or a key: browsers start audio only then.
   * @param {string} workletUrl
   * @param {OnPlayed} onPlayed
   */
  static async open(workletUrl, onPlayed) {
    const context = new AudioContext({ sampleRate: OUTPUT_HZ, latencyHint: "interactive" });
    await context.audioWorklet.addModule(workletUrl);
    const node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    node.connect(context.destination);
    await running(context);
    return new Player(context, node, onPlayed);
  }

  /**
   * @param {string} utteranceId
   * @param {Uint8Array} pcm
   * @param {number} rate
   */
  play(utteranceId, pcm, rate) {
    if (this.#cancelled.has(utteranceId)) return;
    if (this.#reply?.utteranceId !== utteranceId || this.#reply.rate !== rate) {
      this.#reply = { utteranceId, rate, resampler: new Resampler(rate, this.#context.sampleRate) };
    }
    this.#push(utteranceId, this.#reply.resampler.feed(pcm16ToFloat(pcm)));
  }

  /**
   * Nothing more of this reply follows: let out what the conversion of its rate still holds.
   * @param {string} utteranceId
   */
  finish(utteranceId) {
    if (this.#reply?.utteranceId !== utteranceId || this.#cancelled.has(utteranceId)) return;
    this.#push(utteranceId, this.#reply.resampler.flush());
    this.#reply = null;
  }

  /**
   * @param {string} utteranceId
   * @param {Float32Array<ArrayBuffer>} samples
   */
  #push(utteranceId, samples) {
    this.#node.port.postMessage({ utteranceId, samples }, [samples.buffer]);
  }

  /**
   * Stop at once; later pieces of this reply are not played either.
   * @param {string} utteranceId
   */
  cancel(utteranceId) {
    this.#cancelled.add(utteranceId);
    this.stop();
  }

  get isRunning() {
    return this.#context.state === "running";
  }

  stop() {
    this.#node.port.postMessage({});
  }

  /** A new call has new replies. */
  reset() {
    this.stop();
    this.#cancelled.clear();
    this.#reply = null;
  }

  /** @param {{ utteranceId: string, frames: number, isDry: boolean }} report of the audio thread */
  #report({ utteranceId, frames, isDry }) {
    const playedMs = (frames / this.#context.sampleRate) * 1000;
    // What the audio thread gave away is heard only after the device's own delay.
    const delayMs = ((this.#context.outputLatency || this.#context.baseLatency) ?? 0) * 1000;
    this.#onPlayed(utteranceId, Math.round(Math.max(0, playedMs - delayMs)));
    if (isDry && !this.#cancelled.has(utteranceId)) setTimeout(() => this.#onPlayed(utteranceId, Math.round(playedMs)), delayMs);
  }
}
