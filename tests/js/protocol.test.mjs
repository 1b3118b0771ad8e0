import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, encode } from "../../static/console/msgpack.js";
import { isError, newId, number, pack, say, text, unpack, uuid7 } from "../../static/console/protocol.js";

test("an id is a UUIDv7 with its time in front", () => {
  assert.equal(uuid7(0x0189_abcd_ef01, new Uint8Array(10).fill(0xff)), "0189abcd-ef01-7fff-bfff-ffffffffffff");
  assert.match(newId(), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(newId(), newId());
});

test("an event is one map of four keys", () => {
  const event = { type: "user.text", id: "E", payload: { text: "hi" } };
  const map = { eventType: "user.text", eventId: "E", sessionId: "S", payload: { text: "hi" } };
  assert.deepEqual(decode(pack(event, "S")), map);
});

test("a start asks for what the console plays and records", () => {
  const { type, payload } = say.start({ agentId: "A", language: "en-US", variables: { name: "Ada" } });
  assert.equal(type, "audio.input.start");
  assert.deepEqual(payload, {
    samplingRate: 16000, outputSampleRate: 24000, agentId: "A", language: "en-US", variables: { name: "Ada" },
  });
});

test("audio goes out as bin, its time as float64", () => {
  const event = say.chunk(Uint8Array.of(1, 2), true);
  const packed = Buffer.from(pack(event, "S")).toString("hex");
  assert.ok(packed.includes(Buffer.from("audio").toString("hex") + "c4020102"));
  assert.ok(packed.includes(Buffer.from("timestamp").toString("hex") + "cb42"));
  assert.equal(event.payload.isMuted, true);
});

test("every action has the name that the protocol gives it", () => {
  const events = [
    say.end(), say.interrupt(), say.endCall(), say.mute(true), say.mute(false), say.text("a"), say.played("U", 20),
    say.heartbeat(), say.disconnect(),
  ];
  assert.deepEqual(events.map(({ type }) => type), [
    "audio.input.end", "user.action.interrupt", "user.action.end_call", "user.action.mute", "user.action.unmute",
    "user.text", "audio.output.played", "connection.lifecycle.heartbeat", "connection.lifecycle.disconnect",
  ]);
  assert.deepEqual(events[6].payload, { utteranceId: "U", playedMs: 20 });
});

test("a server's event is read, with what an error was about", () => {
  const map = {
    eventType: "error.system.invalid_payload", eventId: "E", sessionId: "S", requestType: "audio.input.start",
    payload: { message: "no such agent", retryable: false },
  };
  assert.deepEqual(unpack(encode(map)), {
    type: "error.system.invalid_payload", id: "E", sessionId: "S", requestType: "audio.input.start",
    payload: { message: "no such agent", retryable: false },
  });
  assert.ok(isError("error.system.stt"));
  assert.ok(!isError("transcript.final"));
});

test("what an event lacks is empty, so that nothing downstream fails", () => {
  assert.deepEqual(unpack(encode({ eventType: "x", payload: [1] })), { type: "x", id: "", sessionId: "", payload: {} });
  assert.equal(text({ a: 1 }, "a"), "");
  assert.equal(number({ a: "1", b: NaN }, "a") + number({ b: NaN }, "b"), 0);
});

test("a frame that is no event is refused", () => {
  for (const value of [null, 7, "x", [1], Uint8Array.of(1), {}, { eventType: 1 }]) {
    assert.throws(() => unpack(encode(value)), { name: "ProtocolError" });
  }
});
