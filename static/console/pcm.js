// @ts-check
// Samples: PCM16 little-endian on the wire, floats from -1 to 1 in the browser's audio graph.

/** Samples per second of what the microphone sends. */
export const INPUT_HZ = 16000;

/**
 * Beyond full scale is clipped.
 * @param {Float32Array} samples
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function floatToPcm16(samples) {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  for (let index = 0; index < samples.length; index += 1) {
    const value = Math.round(samples[index] * 32768);
    view.setInt16(index * 2, Math.max(-32768, Math.min(32767, value)), true);
  }
  return new Uint8Array(view.buffer);
}

/**
 * The bytes may begin at any offset of their buffer; an odd last byte is left out.
 * @param {Uint8Array} bytes
 * @returns {Float32Array<ArrayBuffer>}
 */
export function pcm16ToFloat(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Float32Array(bytes.byteLength >> 1);
  for (let index = 0; index < samples.length; index += 1) samples[index] = view.getInt16(index * 2, true) / 32768;
  return samples;
}

export const SILENCE_DBFS = -90;

/**
 * Root mean square in dBFS, at least SILENCE_DBFS.
 * @param {Float32Array} samples
 */
export function levelDbfs(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  if (!sum) return SILENCE_DBFS;
  return Math.max(SILENCE_DBFS, 10 * Math.log10(sum / samples.length));
}

/**
 * A level as a share of a meter that shows speech well: -60 dBFS is empty, -6 dBFS full.
 * @param {number} dbfs
 */
export function meterShare(dbfs) {
  return Math.max(0, Math.min(1, (dbfs + 60) / 54));
}

/** Collects samples into pieces of one length. */
export class Chunker {
  #piece;
  #filled = 0;

  /** @param {number} length samples of a piece */
  constructor(length) {
    this.#piece = new Float32Array(length);
  }

  /**
   * @param {Float32Array} samples
   * @returns {Float32Array<ArrayBuffer>[]} the pieces that are now full, in order
   */
  feed(samples) {
    const full = [];
    let at = 0;
    while (at < samples.length) {
      const count = Math.min(samples.length - at, this.#piece.length - this.#filled);
      this.#piece.set(samples.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === this.#piece.length) {
        full.push(this.#piece);
        this.#piece = new Float32Array(this.#piece.length);
        this.#filled = 0;
      }
    }
    return full;
  }
}
