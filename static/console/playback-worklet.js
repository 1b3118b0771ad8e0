// @ts-check
// Runs in the audio thread: plays what is pushed, stops at once when told, and says what was played.

import { PlayQueue } from "./playqueue.js";

const REPORT_SECONDS = 0.1;

class Playback extends AudioWorkletProcessor {
  #queue = new PlayQueue(sampleRate);
  #wasEmpty = true;
  #reportFrame = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.samples) this.#queue.push(data.utteranceId, data.samples);
      else {
        this.#queue.stop();
        this.#report(true);
      }
    };
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, [[block]]) {
    this.#queue.render(block);
    const isDry = this.#queue.isEmpty && !this.#wasEmpty;
    if (isDry || (!this.#queue.isEmpty && currentFrame >= this.#reportFrame)) this.#report(isDry);
    this.#wasEmpty = this.#queue.isEmpty;
    return true;
  }

  /** @param {boolean} isDry nothing is left to play */
  #report(isDry) {
    this.#reportFrame = currentFrame + REPORT_SECONDS * sampleRate;
    const { position } = this.#queue;
    if (position) this.port.postMessage({ ...position, isDry });
  }
}

registerProcessor("playback", Playback);
