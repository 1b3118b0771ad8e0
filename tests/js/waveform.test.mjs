import assert from "node:assert/strict";
import { test } from "node:test";

import { layOut, momentAt, turnAt } from "../../static/admin_calls/waveform.js";

test("the caller is drawn upwards from the middle and the agent downwards", () => {
  const bars = layOut([[100, 50], [0, 100]], 6, 100, 3);
  assert.deepEqual(bars, {
    caller: [{ x: 0, y: 0, width: 2, height: 50 }, { x: 3, y: 50, width: 2, height: 0 }],
    agent: [{ x: 0, y: 50, width: 2, height: 25 }, { x: 3, y: 50, width: 2, height: 50 }],
  });
});

test("more peaks than columns show as their loudest", () => {
  const peaks = Array.from({ length: 600 }, (_, index) => [index === 301 ? 100 : 0, 0]);
  const heights = layOut(peaks, 30, 100, 3).caller.map((bar) => bar.height);
  assert.deepEqual(heights, [0, 0, 0, 0, 0, 50, 0, 0, 0, 0]);
});

test("fewer peaks than columns are stretched over the width", () => {
  const heights = layOut([[100, 0], [50, 0]], 12, 100, 3).caller.map((bar) => bar.height);
  assert.deepEqual(heights, [50, 50, 25, 25]);
});

test("a quiet recording fills the picture and silence stays flat", () => {
  assert.equal(layOut([[20, 10]], 3, 100, 3).caller[0].height, 50);
  assert.equal(layOut([[1, 0]], 3, 100, 3).caller[0].height, 5);
});

test("without a recording nothing is drawn", () => {
  assert.deepEqual(layOut([], 300, 100, 3), { caller: [], agent: [] });
});

test("the turn that is heard is the one that began last", () => {
  const turns = [
    { startMs: 0, endMs: 1000, isAgent: true },
    { startMs: 800, endMs: 1500, isAgent: false },
  ];
  assert.deepEqual([0, 900, 1499, 1500, -1].map((ms) => turnAt(turns, ms)), [0, 1, 1, -1, -1]);
});

test("a place on the picture is a moment of the recording", () => {
  assert.deepEqual([-5, 0, 50, 100, 500].map((x) => momentAt(x, 100, 8000)), [0, 0, 4000, 8000, 8000]);
  assert.equal(momentAt(5, 0, 8000), 0);
});
