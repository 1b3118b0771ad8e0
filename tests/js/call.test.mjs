import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Call } from "../../static/console/call.js";
import { MOST_TRIES } from "../../static/console/closing.js";
import { decode, encode } from "../../static/console/msgpack.js";

class FakeSocket {
  readyState = 0;
  bufferedAmount = 0;
  sent = [];
  closedWith = null;

  send(frame) {
    this.sent.push(decode(frame));
  }

  close(code) {
    this.readyState = 3;
    this.closedWith = code;
  }

  /** The server accepts and greets. */
  accept() {
    this.readyState = 1;
    this.onopen?.();
    this.say("connection.lifecycle.ack", { success: true, sessionId: "S1" });
    this.say("connection.ack", { success: true, sessionId: "S1" });
  }

  say(eventType, payload = {}, more = {}) {
    const frame = encode({ eventType, eventId: "server", sessionId: "S1", payload, ...more });
    this.onmessage?.({ data: frame.buffer });
  }

  ack(eventType) {
    const { eventId } = this.sent.findLast((event) => event.eventType === eventType);
    this.say(eventType, { success: true }, { eventId });
  }

  lose(code, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  types() {
    return this.sent.map(({ eventType }) => eventType);
  }
}

let sockets, statuses, events, notes, ends, timers, now, refusal, call;

beforeEach(() => {
  [sockets, statuses, events, notes, ends, timers] = [[], [], [], [], [], new Map()];
  now = 0;
  refusal = { text: "Refused.", mayRetry: false };
  let nextTimer = 1;
  call = new Call(
    {
      onStatus: (status) => statuses.push([status.phase, status.detail, status.isProblem]),
      onEvent: (event) => events.push(event.type),
      onSent: () => {},
      onNote: (type, detail) => notes.push([type, detail]),
      onDisconnected: (isOver) => ends.push(isOver),
    },
    {
      openSocket: () => {
        sockets.push(new FakeSocket());
        return sockets.at(-1);
      },
      explainRefusal: async () => refusal,
      now: () => now,
      random: () => 0.5,
      setTimer: (work, ms) => {
        timers.set(nextTimer, { work, due: now + ms });
        nextTimer += 1;
        return nextTimer - 1;
      },
      clearTimer: (timer) => timers.delete(timer),
    },
  );
});

/** Let time pass; timers run in their order. */
function pass(ms) {
  const until = now + ms;
  for (;;) {
    const [next] = [...timers].filter(([, { due }]) => due <= until).sort(([, a], [, b]) => a.due - b.due);
    if (!next) break;
    timers.delete(next[0]);
    now = next[1].due;
    next[1].work();
  }
  now = until;
}

function goLive() {
  call.start({ agentId: "A" });
  sockets.at(-1).accept();
  sockets.at(-1).ack("audio.input.start");
}

const phases = () => statuses.map(([phase]) => phase);
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a call starts as soon as the server greets, and is live when the start is acknowledged", () => {
  call.start({ agentId: "A", language: "en-US" });
  const [socket] = sockets;
  assert.deepEqual([call.phase, socket.sent, socket.binaryType], ["connecting", [], "arraybuffer"]);
  socket.accept();
  assert.deepEqual(socket.types(), ["audio.input.start"]);
  assert.deepEqual([socket.sent[0].sessionId, socket.sent[0].payload.agentId, call.phase], ["S1", "A", "connecting"]);
  socket.ack("audio.input.start");
  assert.equal(call.phase, "live");
  assert.deepEqual(events, ["connection.lifecycle.ack", "connection.ack", "audio.input.start"]);
});

test("a second start while a call is on does nothing", () => {
  goLive();
  call.start({ agentId: "B" });
  assert.equal(sockets.length, 1);
});

test("audio goes out only after the start", () => {
  call.start({});
  call.hear(new Uint8Array(640), false);
  sockets[0].accept();
  call.hear(new Uint8Array(640), true);
  assert.deepEqual(sockets[0].types(), ["audio.input.start", "audio.input.chunk"]);
  assert.equal(sockets[0].sent[1].payload.isMuted, true);
});

test("with a network that is too slow audio is dropped, which is noted once", () => {
  goLive();
  for (const waiting of [200_000, 200_000, 0, 200_000]) {
    sockets[0].bufferedAmount = waiting;
    call.hear(new Uint8Array(640), false);
  }
  assert.deepEqual(sockets[0].types(), ["audio.input.start", "audio.input.chunk"]);
  assert.deepEqual(notes.map(([type]) => type), ["audio.failed", "audio.failed"]);
});

test("a microphone that is gone ends the turn, not the call", () => {
  goLive();
  call.endInput();
  assert.deepEqual([sockets[0].types().at(-1), call.phase], ["audio.input.end", "live"]);
});

test("what is pressed becomes an event", () => {
  goLive();
  assert.ok(call.type("hello"));
  call.interrupt();
  call.mute(true);
  call.mute(false);
  call.played("U", 120);
  assert.deepEqual(sockets[0].types().slice(1), [
    "user.text", "user.action.interrupt", "user.action.mute", "user.action.unmute", "audio.output.played",
  ]);
});

test("without a call nothing is sent", () => {
  assert.equal(call.type("hello"), "");
  call.interrupt();
  call.mute(true);
  call.played("U", 1);
  call.hear(new Uint8Array(2), false);
  assert.deepEqual([sockets, statuses], [[], []]);
});

test("a start that the server refuses ends the call with the server's words", () => {
  call.start({});
  sockets[0].accept();
  sockets[0].say("error.system.invalid_payload", { message: "no such agent" }, { requestType: "audio.input.start" });
  assert.deepEqual(statuses.at(-1), ["idle", "no such agent", true]);
  assert.equal(sockets[0].closedWith, 1000);
});

test("a start without an answer is given up", () => {
  call.start({});
  sockets[0].accept();
  pass(8000);
  assert.deepEqual(statuses.at(-1), ["idle", "The server did not start the call in time.", true]);
});

test("the goodbye is waited for, and the end is no problem", () => {
  goLive();
  call.end();
  assert.deepEqual([call.phase, sockets[0].types().at(-1), call.type("more")], ["ending", "user.action.end_call", ""]);
  pass(15_000);
  sockets[0].say("audio.output.chunk", { utteranceId: "U" });
  pass(15_000);
  assert.equal(call.phase, "ending");
  sockets[0].lose(1000);
  assert.deepEqual([statuses.at(-1), ends], [["idle", "The call is over.", false], [true]]);
});

test("a goodbye that never comes is cut short by time or by pressing again", () => {
  goLive();
  call.end();
  pass(20_000);
  assert.deepEqual([call.phase, sockets[0].closedWith], ["idle", 1000]);
  goLive();
  call.end();
  call.end();
  assert.deepEqual([call.phase, sockets[1].closedWith], ["idle", 1000]);
});

test("when the agent hangs up, the call is over and is not tried again", () => {
  goLive();
  sockets[0].lose(1000);
  pass(60_000);
  assert.deepEqual([statuses.at(-1), ends, sockets.length], [["idle", "The call is over.", false], [true], 1]);
});

test("a lost connection comes back as a new call", () => {
  goLive();
  sockets[0].lose(1006);
  assert.deepEqual(statuses.at(-1), ["waiting", "The connection was lost. Trying again in 1 s.", true]);
  assert.deepEqual([call.type("now"), ends], ["", [false]]);
  pass(500);
  sockets[1].accept();
  sockets[1].ack("audio.input.start");
  assert.deepEqual(phases(), ["connecting", "live", "waiting", "connecting", "live"]);
  assert.equal(sockets[1].sent[0].payload.agentId, "A");
});

test("one may ask to connect at once, or to stop trying", () => {
  goLive();
  sockets[0].lose(1006);
  call.retryNow();
  assert.deepEqual([sockets.length, call.phase], [2, "connecting"]);
  sockets[1].accept();
  sockets[1].lose(1013);
  call.end();
  pass(60_000);
  assert.deepEqual([sockets.length, call.phase], [2, "idle"]);
});

test("waiting grows with each failure and begins anew after a steady call", () => {
  goLive();
  const waits = [];
  for (let round = 0; round < 4; round += 1) {
    sockets.at(-1).lose(1006);
    const before = now;
    while (call.phase === "waiting") pass(50);
    waits.push(now - before);
    sockets.at(-1).accept();
    sockets.at(-1).ack("audio.input.start");
    if (round === 2) pass(11_000);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 500]);
});

test("after ten tries in vain the call is given up", async () => {
  refusal = { text: "The server does not answer.", mayRetry: true };
  call.start({});
  for (let round = 0; round <= MOST_TRIES; round += 1) {
    sockets.at(-1).lose(1006);
    await turn();
    pass(8000);
  }
  assert.deepEqual(statuses.at(-1), ["idle", "The server does not answer. Gave up after 10 tries.", true]);
  assert.equal(sockets.length, MOST_TRIES + 1);
});

test("a refused handshake is explained and, where it would be in vain, not repeated", async () => {
  call.start({});
  sockets[0].lose(1006);
  assert.equal(call.phase, "waiting");
  await turn();
  assert.deepEqual(statuses.at(-1), ["idle", "Refused.", true]);
});

test("who stops while the refusal is looked into is left in peace", async () => {
  refusal = { text: "Later.", mayRetry: true };
  call.start({});
  sockets[0].lose(1006);
  call.end();
  await turn();
  assert.deepEqual([call.phase, sockets.length, timers.size], ["idle", 1, 0]);
});

test("a connection that went dead without a word is noticed and replaced", () => {
  goLive();
  pass(15_000);
  assert.equal(sockets[0].types().at(-1), "connection.lifecycle.heartbeat");
  sockets[0].ack("connection.lifecycle.heartbeat");
  pass(14_999);
  assert.equal(call.phase, "live");
  pass(10_001);
  assert.equal(call.phase, "waiting");
  assert.equal(sockets[0].closedWith, 1000);
});

test("a frame that cannot be read is noted and the call goes on", () => {
  goLive();
  sockets[0].onmessage({ data: Uint8Array.of(0xc1).buffer });
  sockets[0].onmessage({ data: "text" });
  assert.deepEqual([notes.map(([type]) => type), call.phase], [["frame.failed", "frame.failed"], "live"]);
});

test("the close code and its reason are noted", () => {
  goLive();
  sockets[0].lose(1011, "bug");
  assert.deepEqual(notes, [["connection.closed", { code: 1011, reason: "bug" }]]);
  assert.equal(statuses.at(-1)[2], true);
});

test("a page that goes away says so", () => {
  goLive();
  call.leave();
  assert.deepEqual([sockets[0].types().at(-1), sockets[0].closedWith], ["connection.lifecycle.disconnect", 1000]);
  assert.deepEqual([call.phase, timers.size], ["idle", 0]);
});
