// @ts-check
// Streaming sample rate conversion: a windowed-sinc low-pass filter, one set of taps per phase. What is fed in pieces
// comes out exactly as the whole would.

const ZERO_CROSSINGS = 16;
/** Part of the narrower band that is kept: the rest is the filter's slope. */
const ROLL_OFF = 0.92;
/** Kaiser's beta: about 80 dB below the signal in the stop band. */
const BETA = 8;

export class Resampler {
  #step;
  #phases;
  #taps;
  #filters;
  /** Input that later output still needs; begins with half a filter of silence. */
  #held;
  /** Place of the next output sample: whole input samples from the start of #held, and phases. */
  #at = 0;
  #phase = 0;

  /**
   * @param {number} sourceHz
   * @param {number} targetHz
   */
  constructor(sourceHz, targetHz) {
    const divisor = greatestCommonDivisor(sourceHz, targetHz);
    this.#phases = targetHz / divisor;
    this.#step = sourceHz / divisor;
    const half = Math.ceil(ZERO_CROSSINGS * Math.max(1, sourceHz / targetHz));
    this.#taps = half * 2;
    this.#filters = makeFilters(this.#phases, half, ROLL_OFF * Math.min(1, targetHz / sourceHz));
    this.#held = new Float32Array(half - 1);
  }

  get isPassthrough() {
    return this.#step === this.#phases;
  }

  /**
   * @param {Float32Array} samples
   * @returns {Float32Array<ArrayBuffer>}
   */
  feed(samples) {
    if (this.isPassthrough) return Float32Array.from(samples);
    const input = new Float32Array(this.#held.length + samples.length);
    input.set(this.#held);
    input.set(samples, this.#held.length);
    const output = [];
    while (this.#at + this.#taps <= input.length) {
      output.push(this.#sample(input));
      this.#phase += this.#step;
      this.#at += Math.floor(this.#phase / this.#phases);
      this.#phase %= this.#phases;
    }
    const used = Math.min(this.#at, input.length);
    this.#held = input.slice(used);
    this.#at -= used;
    return Float32Array.from(output);
  }

  /**
   * Give what the filter still holds back. Nothing may be fed afterwards.
   * @returns {Float32Array<ArrayBuffer>}
   */
  flush() {
    return this.isPassthrough ? new Float32Array(0) : this.feed(new Float32Array(this.#taps / 2));
  }

  /** @param {Float32Array} input */
  #sample(input) {
    const filter = this.#filters[this.#phase];
    let sum = 0;
    for (let tap = 0; tap < filter.length; tap += 1) sum += input[this.#at + tap] * filter[tap];
    return sum;
  }
}

/**
 * Taps for each phase; each set adds up to 1, so that a steady level stays as it is.
 * @param {number} phases
 * @param {number} half
 * @param {number} cutoff share of the source's band
 */
function makeFilters(phases, half, cutoff) {
  return Array.from({ length: phases }, (_, phase) => {
    const taps = Float64Array.from({ length: half * 2 }, (_unused, tap) => {
      const distance = tap - (half - 1) - phase / phases;
      return sinc(cutoff * distance) * kaiser(distance / half);
    });
    const sum = taps.reduce((total, tap) => total + tap, 0);
    return taps.map((tap) => tap / sum);
  });
}

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** @param {number} x from -1 to 1 */
function kaiser(x) {
  return Math.abs(x) > 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/**
 * The modified Bessel function of the first kind and order zero, by its power series.
 * @param {number} x
 */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function greatestCommonDivisor(a, b) {
  return b ? greatestCommonDivisor(b, a % b) : a;
}
