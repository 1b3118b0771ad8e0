import assert from "node:assert/strict";
import { test } from "node:test";

import { Chunker, SILENCE_DBFS, floatToPcm16, levelDbfs, meterShare, pcm16ToFloat } from "../../static/console/pcm.js";
import { PlayQueue } from "../../static/console/playqueue.js";
import { Resampler } from "../../static/console/resample.js";

const sine = (hz, rate, count) => Float32Array.from({ length: count }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));
const rms = (samples) => Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
const join = (pieces) => Float32Array.from(pieces.flatMap((piece) => [...piece]));

test("samples are little-endian and clipped at full scale", () => {
  assert.deepEqual([...floatToPcm16(Float32Array.of(0, 0.5, -1, 2, -2))], [0, 0, 0, 0x40, 0, 0x80, 0xff, 0x7f, 0, 0x80]);
});

test("every 16-bit sample survives the way to float and back", () => {
  const bytes = new Uint8Array(Int16Array.from({ length: 65536 }, (_, i) => i - 32768).buffer);
  assert.deepEqual(floatToPcm16(pcm16ToFloat(bytes)), bytes);
});

test("samples may begin at an odd place of their buffer, and an odd last byte is left out", () => {
  assert.deepEqual([...pcm16ToFloat(Uint8Array.of(9, 0, 0x40, 9).subarray(1))], [0.5]);
});

test("levels are in dBFS and silence has an end", () => {
  assert.equal(levelDbfs(new Float32Array(10)), SILENCE_DBFS);
  assert.ok(Math.abs(levelDbfs(sine(440, 16000, 16000)) + 9.03) < 0.01);
  assert.deepEqual([SILENCE_DBFS, -60, -33, -6, 0].map(meterShare), [0, 0, 0.5, 1, 1]);
});

test("pieces of any length become pieces of one length", () => {
  const chunker = new Chunker(4);
  assert.deepEqual(chunker.feed(Float32Array.of(1, 2, 3)), []);
  const full = chunker.feed(Float32Array.of(4, 5, 6, 7, 8, 9));
  assert.deepEqual(full.map((piece) => [...piece]), [[1, 2, 3, 4], [5, 6, 7, 8]]);
  assert.deepEqual(chunker.feed(Float32Array.of(10, 11, 12)).map((piece) => [...piece]), [[9, 10, 11, 12]]);
});

for (const [source, target] of [[48000, 16000], [44100, 16000], [96000, 16000], [22050, 24000], [8000, 24000]]) {
  test(`${source} Hz becomes ${target} Hz: the length and the level of a tone stay`, () => {
    const resampler = new Resampler(source, target);
    const output = join([resampler.feed(sine(1000, source, source)), resampler.flush()]);
    assert.ok(Math.abs(output.length - target) <= 1, `${output.length} samples`);
    const middle = output.subarray(target / 4, (target * 3) / 4);
    assert.ok(Math.abs(20 * Math.log10(rms(middle) / (0.5 / Math.SQRT2))) < 0.05);
    const ideal = sine(1000, target, output.length).subarray(target / 4, (target * 3) / 4);
    const noise = middle.map((sample, index) => sample - ideal[index]);
    assert.ok(20 * Math.log10(rms(noise) / rms(ideal)) < -70);
  });

  test(`${source} Hz to ${target} Hz in pieces equals the whole`, () => {
    const input = sine(700, source, source / 5);
    const whole = new Resampler(source, target);
    const pieces = new Resampler(source, target);
    const parts = [];
    for (let at = 0; at < input.length; at += 128) parts.push(pieces.feed(input.subarray(at, at + 128)));
    assert.deepEqual(join([...parts, pieces.flush()]), join([whole.feed(input), whole.flush()]));
  });
}

test("what the lower rate cannot hold is removed and does not fold back", () => {
  const output = new Resampler(48000, 16000).feed(sine(11000, 48000, 48000));
  assert.ok(20 * Math.log10(rms(output.subarray(1000)) / 0.35) < -70);
});

test("hardly anything is held back on the way", () => {
  const output = new Resampler(48000, 16000).feed(sine(300, 48000, 4800));
  assert.ok(1600 - output.length <= 16, `${1600 - output.length} samples of 16 kHz`);
});

test("equal rates pass through untouched", () => {
  const input = sine(300, 16000, 100);
  const resampler = new Resampler(16000, 16000);
  assert.deepEqual([resampler.isPassthrough, resampler.feed(input), resampler.flush().length], [true, input, 0]);
});

test("replies are played one after the other, with silence where there is nothing", () => {
  const queue = new PlayQueue(1000);
  queue.push("A", Float32Array.of(1, 2, 3));
  queue.push("B", Float32Array.of(4));
  const block = new Float32Array(6).fill(9);
  queue.render(block.subarray(0, 2));
  assert.deepEqual([[...block.subarray(0, 2)], queue.position], [[1, 2], { utteranceId: "A", frames: 2 }]);
  queue.render(block);
  assert.deepEqual([[...block], queue.position, queue.isEmpty], [[3, 4, 0, 0, 0, 0], { utteranceId: "B", frames: 1 }, true]);
});

test("waiting for more of a reply does not count as playing it", () => {
  const queue = new PlayQueue(1000);
  queue.push("A", Float32Array.of(1));
  queue.render(new Float32Array(10));
  queue.render(new Float32Array(10));
  queue.push("A", Float32Array.of(2));
  queue.render(new Float32Array(1));
  assert.deepEqual(queue.position, { utteranceId: "A", frames: 2 });
});

test("a stop fades out within five milliseconds and drops the rest", () => {
  const queue = new PlayQueue(1000);
  queue.push("A", new Float32Array(100).fill(1));
  queue.push("A", new Float32Array(100).fill(1));
  queue.render(new Float32Array(10));
  queue.stop();
  const block = new Float32Array(8);
  queue.render(block);
  const faded = [5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6].map(Math.fround);
  assert.deepEqual([...block].map((sample) => Math.round(sample * 1e6)), [...faded, 0, 0, 0].map((s) => Math.round(s * 1e6)));
  assert.deepEqual([queue.position, queue.isEmpty], [{ utteranceId: "A", frames: 15 }, true]);
});

test("a stop of silence leaves silence", () => {
  const queue = new PlayQueue(1000);
  queue.stop();
  assert.deepEqual([queue.isEmpty, queue.position], [true, null]);
});
