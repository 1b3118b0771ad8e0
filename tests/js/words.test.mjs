import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_TRIES, closeMeaning, retryDelay } from "../../static/console/closing.js";
import { EventLog, formatTime, lineText } from "../../static/console/eventlog.js";
import { PARTS, formatMs, readLatency, share, summary } from "../../static/console/latency.js";
import { describeFailure, obstacle } from "../../static/console/microphone-failures.js";
import { explainRefusal, formatClock, shownState, startLabel } from "../../static/console/states.js";

const EVERYTHING = { words: "", kind: "all", isAudioShown: true };

test("figures are read, and an answer without a total has none", () => {
  const latency = { endpointing: 400, stt: 0, llm: 90.5, tts: 30, total: 520 };
  assert.deepEqual(readLatency({ ...latency, stt: "x", more: 1 }), latency);
  assert.equal(readLatency({ endpointing: 0, total: 0 }), null);
  assert.equal(readLatency({}), null);
});

test("figures are written as one reads them", () => {
  assert.deepEqual([0, 411.6, 999.4, 999.6, 1240].map(formatMs), ["0 ms", "412 ms", "999 ms", "1.00 s", "1.24 s"]);
});

test("the bars of a turn share one scale", () => {
  const latency = { endpointing: 400, stt: 100, llm: 800, tts: 0, total: 600 };
  assert.deepEqual(PARTS.map(({ part }) => share(latency, part)), [0.5, 0.125, 1, 0, 0.75]);
});

test("median and slowest are those of the totals", () => {
  const turns = [500, 300, 900, 700].map((total) => ({ endpointing: 0, stt: 0, llm: 0, tts: 0, total }));
  assert.deepEqual(summary(turns), { count: 4, median: 600, worst: 900 });
  assert.deepEqual(summary(turns.slice(0, 3)), { count: 3, median: 500, worst: 900 });
  assert.equal(summary([]), null);
});

test("only a lost connection and a busy server are tried again", () => {
  const tried = [1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 1013].filter((code) => closeMeaning(code).mayRetry);
  assert.deepEqual(tried, [1005, 1006, 1012, 1013]);
  assert.equal(closeMeaning(1000).isOver, true);
});

test("waiting doubles up to eight seconds, a fifth more or less", () => {
  assert.deepEqual([1, 2, 3, 4, 5, MOST_TRIES].map((tries) => retryDelay(tries, 0.5)), [500, 1000, 2000, 4000, 8000, 8000]);
  assert.deepEqual([retryDelay(1, 0), retryDelay(1, 1)], [400, 600]);
});

test("each failure of the microphone has its own remedy", () => {
  const error = (name, message = "") => Object.assign(new Error(message), { name });
  const titles = [
    obstacle({ isSecure: false, hasApi: false }),
    obstacle({ isSecure: true, hasApi: false }),
    describeFailure(error("NotAllowedError", "Permission denied")),
    describeFailure(error("NotAllowedError", "Permission denied by system")),
    describeFailure(error("NotFoundError")),
    describeFailure(error("NotReadableError")),
    describeFailure(error("WeirdError")),
  ].map(({ title }) => title);
  assert.deepEqual(titles, [
    "Browsers give the microphone only to secure pages.",
    "This browser gives pages no microphone.",
    "The microphone is blocked for this page.",
    "Your system does not let this browser use the microphone.",
    "No microphone was found.",
    "The microphone cannot be opened; another program may be using it.",
    "The microphone could not be opened (WeirdError).",
  ]);
  assert.equal(obstacle({ isSecure: true, hasApi: true }), null);
});

test("the server's state is shown while the call is on, else the connection's", () => {
  assert.equal(shownState("live", "RESPONDING").word, "Agent speaks");
  assert.equal(shownState("live", "SOMETHING_NEW").word, "Connected");
  assert.equal(shownState("waiting", "RESPONDING").word, "Connection lost");
  assert.deepEqual(["idle", "connecting", "live", "waiting", "ending"].map(startLabel), [
    "Start call", "Cancel", "End call", "Stop trying", "Hang up",
  ]);
  assert.deepEqual([0, 59999, 61000, 3600000].map(formatClock), ["0:00", "0:59", "1:01", "60:00"]);
});

test("a refused handshake is explained by the server's readiness", () => {
  const parts = { database: { ok: false, detail: "locked" }, broker: { ok: true, detail: "redis" } };
  assert.deepEqual(explainRefusal(503, parts), { text: "The server cannot take calls now (database: locked).", mayRetry: true });
  assert.deepEqual(explainRefusal(0, {}), { text: "The server does not answer.", mayRetry: true });
  assert.equal(explainRefusal(200, {}).mayRetry, false);
});

test("the log gives lines with time, direction, name and content, and no bytes of audio", () => {
  let now = 1000;
  const log = new EventLog(() => now);
  now += 61_002.4;
  const line = log.add("in", "transcript.final", { text: "hi", at: 10n });
  assert.equal(lineText(line), '01:01.002 ← transcript.final {"text":"hi","at":"10"}');
  assert.equal(formatTime(-5), "00:00.000");
});

test("runs of audio are one line each until something else happens", () => {
  const log = new EventLog(() => 0);
  for (let round = 0; round < 3; round += 1) {
    log.add("out", "audio.input.chunk", { audio: new Uint8Array(640) });
    log.add("in", "audio.output.chunk", { audio: new Uint8Array(100), utteranceId: "A" });
    log.add("out", "audio.output.played", { utteranceId: "A", playedMs: round });
  }
  log.add("in", "audio.output.cancel", {});
  log.add("out", "audio.input.chunk", { audio: new Uint8Array(640) });
  assert.equal(log.toText(EVERYTHING), [
    "00:00.000 → audio.input.chunk 3 frames, 1.9 KiB",
    "00:00.000 ← audio.output.chunk 3 frames, 300 B",
    '00:00.000 → audio.output.played {"utteranceId":"A","playedMs":2} ×3',
    "00:00.000 ← audio.output.cancel",
    "00:00.000 → audio.input.chunk 1 frame, 640 B",
  ].join("\n"));
});

test("the tokens of a reply are one line with all their words", () => {
  const log = new EventLog(() => 0);
  for (const [utteranceId, token] of [["A", "Good "], ["A", "day"], ["B", "Bye"]]) {
    log.add("in", "conversation.response.token", { utteranceId, token });
    log.add("in", "audio.output.chunk", { audio: new Uint8Array(2) });
  }
  assert.equal(log.toText({ ...EVERYTHING, isAudioShown: false }), [
    '00:00.000 ← conversation.response.token {"utteranceId":"A","token":"Good day"} ×2',
    '00:00.000 ← conversation.response.token {"utteranceId":"B","token":"Bye"}',
  ].join("\n"));
});

test("the log is filtered by words, direction, errors and audio", () => {
  const log = new EventLog(() => 0);
  log.add("out", "user.text", { text: "Hello" });
  log.add("in", "error.system.stt", { message: "gone" });
  log.add("in", "audio.output.chunk", { audio: new Uint8Array(2) });
  log.add("local", "microphone.failed", {});
  const types = (filter) => log.filtered({ ...EVERYTHING, ...filter }).map(({ type }) => type);
  assert.deepEqual(types({ words: "hello" }), ["user.text"]);
  assert.deepEqual(types({ kind: "in" }), ["error.system.stt", "audio.output.chunk"]);
  assert.deepEqual(types({ kind: "errors" }), ["error.system.stt", "microphone.failed"]);
  assert.deepEqual(types({ isAudioShown: false }), ["user.text", "error.system.stt", "microphone.failed"]);
});

test("the log forgets its oldest lines rather than grow for ever", () => {
  const log = new EventLog(() => 0);
  for (let index = 0; index < 2500; index += 1) log.add("in", `event.${index}`);
  assert.deepEqual([log.lines.length, log.lines[0].type], [2000, "event.500"]);
  log.clear();
  assert.equal(log.toText(EVERYTHING), "");
});
