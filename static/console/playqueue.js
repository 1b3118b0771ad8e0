// @ts-check
// Samples of the agent's replies on their way to the loudspeaker, and how much of which reply has been played.

/** Long enough not to click, too short to be heard as speech. */
const FADE_SECONDS = 0.005;

/** @typedef {{ utteranceId: string, frames: number }} Position */

export class PlayQueue {
  /** @type {{ utteranceId: string, samples: Float32Array }[]} */
  #pieces = [];
  #at = 0;
  #fadeFrames;
  /** @type {Position | null} */
  position = null;

  /** @param {number} rate samples per second */
  constructor(rate) {
    this.#fadeFrames = Math.round(rate * FADE_SECONDS);
  }

  get isEmpty() {
    return this.#pieces.length === 0;
  }

  /**
   * @param {string} utteranceId
   * @param {Float32Array} samples
   */
  push(utteranceId, samples) {
    if (samples.length) this.#pieces.push({ utteranceId, samples });
  }

  /** Drop everything but the few samples in which the sound fades out. */
  stop() {
    const fading = new Float32Array(this.#fadeFrames);
    const count = this.#read(fading.subarray(0, this.#framesOfFirst()));
    for (let index = 0; index < count; index += 1) fading[index] *= 1 - (index + 1) / (count + 1);
    this.#pieces = count ? [{ utteranceId: "", samples: fading.subarray(0, count) }] : [];
    this.#at = 0;
  }

  /**
   * Fill a block; what is missing is silence.
   * @param {Float32Array} block
   */
  render(block) {
    block.fill(0, this.#read(block));
  }

  #framesOfFirst() {
    return this.#pieces.length ? Math.min(this.#pieces[0].samples.length - this.#at, this.#fadeFrames) : 0;
  }

  /**
   * @param {Float32Array} block
   * @returns {number} samples that were there
   */
  #read(block) {
    let filled = 0;
    while (filled < block.length && this.#pieces.length) {
      const { utteranceId, samples } = this.#pieces[0];
      const count = Math.min(block.length - filled, samples.length - this.#at);
      block.set(samples.subarray(this.#at, this.#at + count), filled);
      filled += count;
      this.#at += count;
      this.#count(utteranceId, count);
      if (this.#at === samples.length) {
        this.#pieces.shift();
        this.#at = 0;
      }
    }
    return filled;
  }

  /**
   * @param {string} utteranceId
   * @param {number} frames
   */
  #count(utteranceId, frames) {
    if (!utteranceId) return;
    if (this.position?.utteranceId !== utteranceId) this.position = { utteranceId, frames: 0 };
    this.position.frames += frames;
  }
}
