import assert from "node:assert/strict";
import { test } from "node:test";

import { Extension, MessagePackError, decode, encode } from "../../static/console/msgpack.js";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

const FORMS = [
  ["nil", null, "c0"],
  ["false", false, "c2"],
  ["true", true, "c3"],
  ["the smallest integer form of 0", 0, "00"],
  ["positive fixint", 127, "7f"],
  ["uint8", 128, "cc80"],
  ["uint8 at its end", 255, "ccff"],
  ["uint16", 256, "cd0100"],
  ["uint16 at its end", 65535, "cdffff"],
  ["uint32", 65536, "ce00010000"],
  ["uint32 at its end", 4294967295, "ceffffffff"],
  ["negative fixint", -32, "e0"],
  ["int8", -33, "d0df"],
  ["int8 at its end", -128, "d080"],
  ["int16", -129, "d1ff7f"],
  ["int16 at its end", -32768, "d18000"],
  ["int32", -32769, "d2ffff7fff"],
  ["int32 at its end", -2147483648, "d280000000"],
  ["a fraction as float64", 1.5, "cb3ff8000000000000"],
  ["minus zero as float64", -0, "cb8000000000000000"],
  ["infinity", Infinity, "cb7ff0000000000000"],
  ["a whole number beyond 32 bits as float64", 4294967296, "cb41f0000000000000"],
  ["a timestamp as float64", 1700000000000, "cb4278bcfe56800000"],
  ["a whole number below 32 bits as float64", -2147483649, "cbc1e0000000200000"],
  ["the empty string", "", "a0"],
  ["fixstr", "é", "a2c3a9"],
  ["bin8", Uint8Array.of(1, 2, 3), "c403010203"],
  ["fixarray", [1, [2]], "92019102"],
  ["fixmap", { a: 1, b: null }, "82a16101a162c0"],
  ["fixext 1", new Extension(5, Uint8Array.of(9)), "d40509"],
  ["fixext 16", new Extension(-1, new Uint8Array(16)), `d8ff${"00".repeat(16)}`],
  ["ext8", new Extension(1, new Uint8Array(3)), "c70301000000"],
];

for (const [name, value, packed] of FORMS) {
  test(`${name} is packed as the specification says and comes back`, () => {
    assert.equal(hex(encode(value)), packed);
    assert.deepEqual(decode(bytes(packed)), value);
  });
}

const SIZES = [
  ["str8", "x".repeat(32), "d920"],
  ["str16", "x".repeat(256), "da0100"],
  ["str32", "x".repeat(65536), "db00010000"],
  ["bin16", new Uint8Array(8192), "c52000"],
  ["bin32", new Uint8Array(65536), "c600010000"],
  ["ext16", new Extension(7, new Uint8Array(256)), "c8010007"],
  ["ext32", new Extension(7, new Uint8Array(65536)), "c90001000007"],
  ["array16", new Array(16).fill(0), "dc0010"],
  ["array32", new Array(65536).fill(0), "dd00010000"],
  ["map16", Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, i])), "de0010"],
  ["map32", Object.fromEntries(Array.from({ length: 65536 }, (_, i) => [`k${i}`, i])), "df00010000"],
];

for (const [name, value, head] of SIZES) {
  test(`${name} holds what is too long for the shorter forms`, () => {
    const packed = encode(value);
    assert.equal(hex(packed.subarray(0, head.length / 2)), head);
    assert.deepEqual(decode(packed), value);
  });
}

const LONG_FORMS = [
  ["uint8 of a small number", "cc05", 5],
  ["uint64 while it is exact", "cf001fffffffffffff", Number.MAX_SAFE_INTEGER],
  ["uint64 beyond that", "cf0020000000000000", 9007199254740992n],
  ["int64 while it is exact", "d3ffffffffffffff9c", -100],
  ["int64 beyond that", "d38000000000000000", -9223372036854775808n],
  ["float32", "ca3fc00000", 1.5],
  ["str32 of a short string", "db0000000161", "a"],
  ["bin32 of few bytes", "c60000000101", Uint8Array.of(1)],
  ["array32 of one", "dd0000000101", [1]],
  ["map16 of one", "de0001a16101", { a: 1 }],
  ["map32 of one, with a number as its key", "df000000010102", { 1: 2 }],
];

for (const [name, packed, value] of LONG_FORMS) {
  test(`${name} is understood though it could be shorter`, () => assert.deepEqual(decode(bytes(packed)), value));
}

test("the connection ack of the protocol's page is understood", () => {
  const packed =
    "de0004a96576656e7454797065ae636f6e6e656374696f6e2e61636ba76576656e744964a145a973657373696f6e4964a153a77061796c6f6164de0001a773756363657373c3";
  const ack = { eventType: "connection.ack", eventId: "E", sessionId: "S", payload: { success: true } };
  assert.deepEqual(decode(bytes(packed)), ack);
});

test("big integers go out as 64-bit integers", () => {
  assert.equal(hex(encode(2n ** 64n - 1n)), "cfffffffffffffffff");
  assert.equal(hex(encode(-1n)), "d3ffffffffffffffff");
  assert.throws(() => encode(2n ** 64n), MessagePackError);
});

test("what grows beyond the first buffer is packed whole", () => {
  const value = { audio: new Uint8Array(5000).fill(7), text: "ä".repeat(3000), list: [1e300, -70000, 1n] };
  assert.deepEqual(decode(encode(value)), { ...value, list: [1e300, -70000, 1] });
});

test("entries that are undefined are left out, items are nil", () => {
  assert.deepEqual(decode(encode({ a: undefined, b: [undefined] })), { b: [null] });
});

test("an array buffer is bin", () => assert.equal(hex(encode(Uint8Array.of(1).buffer)), "c40101"));

test("a view into a larger buffer is decoded at its place", () => {
  const larger = bytes("ff ff 93 01 02 03 ff");
  assert.deepEqual(decode(larger.subarray(2, 6)), [1, 2, 3]);
});

test("decoded bytes do not change with the frame that they came in", () => {
  const frame = bytes("c40101");
  const decoded = decode(frame);
  frame[2] = 9;
  assert.deepEqual(decoded, Uint8Array.of(1));
});

test("a key named __proto__ is a key like any other", () => {
  const decoded = decode(bytes("81a95f5f70726f746f5f5f81a16101"));
  assert.deepEqual(Object.entries(decoded), [["__proto__", { a: 1 }]]);
  assert.equal(decoded.a, undefined);
});

test("a byte order mark is text", () => assert.equal(decode(encode("\ufeffa")), "\ufeffa"));

for (const [name, packed] of [
  ["nothing", ""],
  ["a byte that begins nothing", "c1"],
  ["a string that is cut short", "a3 61 62"],
  ["a number that is cut short", "cd 01"],
  ["a length that lies", "dd ff ff ff ff 01"],
  ["a second value", "01 02"],
  ["a string that is not UTF-8", "a2 ff fe"],
  ["a key that is an array", "81 90 01"],
  ["too many levels", "91".repeat(70) + "c0"],
]) {
  test(`${name} is refused`, () => assert.throws(() => decode(bytes(packed)), MessagePackError));
}

test("what MessagePack cannot say is refused", () => {
  const endless = [];
  endless.push(endless);
  for (const value of [() => 1, Symbol("s"), endless]) assert.throws(() => encode(value), MessagePackError);
});

test("random bytes give a value or a MessagePackError", () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed;
  };
  for (let round = 0; round < 20000; round += 1) {
    const frame = Uint8Array.from({ length: random() % 24 }, () => random() % 256);
    try {
      decode(frame);
    } catch (error) {
      assert.ok(error instanceof MessagePackError, String(error));
    }
  }
});
