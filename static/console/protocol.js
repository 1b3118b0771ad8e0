// @ts-check
// The `vantum` family of the /ws protocol: one MessagePack map per binary frame, {eventType, eventId, sessionId, payload}.

import { decode, encode } from "./msgpack.js";
import { INPUT_HZ } from "./pcm.js";

/** Samples per second of what is asked for and played. */
export const OUTPUT_HZ = 24000;

/**
 * @typedef {object} ServerEvent
 * @property {string} type
 * @property {string} id
 * @property {string} sessionId
 * @property {Record<string, unknown>} payload
 * @property {string} [requestType] of an error: what was asked for
 */

/**
 * @typedef {object} ClientEvent
 * @property {string} type
 * @property {string} id
 * @property {Record<string, unknown>} payload
 */

export class ProtocolError extends Error {
  name = "ProtocolError";
}

/** @param {string} type */
export function isError(type) {
  return type.startsWith("error.");
}

/**
 * A UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, the rest random.
 * @param {number} now Unix ms
 * @param {Uint8Array} random at least 10 bytes
 */
export function uuid7(now, random) {
  const bytes = new Uint8Array(16);
  for (let index = 0; index < 6; index += 1) bytes[index] = Math.floor(now / 2 ** (8 * (5 - index))) % 256;
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** A new event id. Works where `crypto.randomUUID` is missing (plain http to another machine). */
export function newId() {
  return uuid7(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
}

/**
 * @param {ClientEvent} event
 * @param {string} sessionId empty before the server has given one
 */
export function pack(event, sessionId) {
  return encode({ eventType: event.type, eventId: event.id, sessionId, payload: event.payload });
}

/**
 * @param {ArrayBuffer | Uint8Array} frame
 * @returns {ServerEvent}
 * @throws {Error} when the frame is not an event
 */
export function unpack(frame) {
  const map = decode(frame);
  if (!isRecord(map)) throw new ProtocolError("the frame is not a map");
  const { eventType, eventId, sessionId, payload, requestType } = map;
  if (typeof eventType !== "string") throw new ProtocolError("eventType is not a string");
  return {
    type: eventType,
    id: typeof eventId === "string" ? eventId : "",
    sessionId: typeof sessionId === "string" ? sessionId : "",
    payload: isRecord(payload) ? payload : {},
    ...(typeof requestType === "string" ? { requestType } : {}),
  };
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/**
 * @param {Record<string, unknown>} payload
 * @param {string} name
 */
export function text(payload, name) {
  const value = payload[name];
  return typeof value === "string" ? value : "";
}

/**
 * @param {Record<string, unknown>} payload
 * @param {string} name
 */
export function number(payload, name) {
  const value = payload[name];
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/**
 * @typedef {object} StartOptions
 * @property {string} [agentId]
 * @property {string} [language]
 * @property {Record<string, string>} [variables]
 */

/** What a console says. Each gives an event with a new id. */
export const say = {
  /** @param {StartOptions} options */
  start: (options) => make("audio.input.start", { samplingRate: INPUT_HZ, outputSampleRate: OUTPUT_HZ, ...options }),
  /**
   * @param {Uint8Array} audio PCM16
   * @param {boolean} isMuted
   */
  chunk: (audio, isMuted) => make("audio.input.chunk", { audio, isMuted, timestamp: Date.now() }),
  end: () => make("audio.input.end", {}),
  interrupt: () => make("user.action.interrupt", {}),
  endCall: () => make("user.action.end_call", {}),
  /** @param {boolean} isMuted */
  mute: (isMuted) => make(isMuted ? "user.action.mute" : "user.action.unmute", {}),
  /** @param {string} words */
  text: (words) => make("user.text", { text: words }),
  /**
   * @param {string} utteranceId
   * @param {number} playedMs
   */
  played: (utteranceId, playedMs) => make("audio.output.played", { utteranceId, playedMs }),
  heartbeat: () => make("connection.lifecycle.heartbeat", { timestamp: Date.now() }),
  disconnect: () => make("connection.lifecycle.disconnect", {}),
};

/**
 * @param {string} type
 * @param {Record<string, unknown>} payload
 * @returns {ClientEvent}
 */
function make(type, payload) {
  return { type, id: newId(), payload };
}
