import assert from "node:assert/strict";
import { test } from "node:test";

import { Turns } from "../../static/live/turns.js";

/** @param {object} more */
const turn = (more) => ({
  key: "a", speaker: "agent", text: "hello", is_final: false, is_interrupted: false, unheard: "", total_ms: null, ...more,
});

test("only what is new or has changed is shown", () => {
  const turns = new Turns();
  assert.deepEqual(turns.receive([turn({}), turn({ key: "b" })]).map(({ key }) => key), ["a", "b"]);
  assert.deepEqual(turns.receive([turn({}), turn({ key: "b", is_final: true })]).map(({ key }) => key), ["b"]);
  assert.deepEqual(turns.all.map(({ key, is_final }) => [key, is_final]), [["a", false], ["b", true]]);
});

test("what is stored takes the place of what was shown, unless nothing is stored", () => {
  const turns = new Turns();
  turns.receive([turn({})]);
  assert.equal(turns.replace([]), false);
  assert.deepEqual(turns.all.map(({ key }) => key), ["a"]);
  assert.equal(turns.replace([turn({ key: "stored" })]), true);
  assert.deepEqual(turns.all.map(({ key }) => key), ["stored"]);
});

test("the latest wait is that of the last answer that has one", () => {
  const turns = new Turns();
  assert.equal(turns.latency, null);
  turns.receive([turn({ total_ms: 500 }), turn({ key: "b", total_ms: 0 }), turn({ key: "c" })]);
  assert.equal(turns.latency, 0);
});
