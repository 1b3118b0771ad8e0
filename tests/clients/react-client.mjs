// @ts-check
/**
 * What docs/protocol.md says of the React client, done to the letter: it sends 8192 bytes of 16 kHz audio at a time,
 * settles an acknowledgement only by `success === true`, keeps its first session id over a reconnect and goes on
 * sending without a start, and cuts what is playing on every response.start and on each new utteranceId.
 */

import { Packr, Unpackr } from 'msgpackr';

const CHUNK_BYTES = 8192;
const RATE = 16000;
const CHUNK_MS = (CHUNK_BYTES / 2 / RATE) * 1000;
const ACK_MS = 1000;
const RECONNECT_MS = 100;
const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });

/** A tone that a voice detector of level and spectrum takes for speech; kept small enough not to clip. */
export function tone() {
  const samples = new Int16Array(CHUNK_BYTES / 2);
  for (let at = 0; at < samples.length; at += 1) {
    const time = at / RATE;
    let value = 0;
    for (let partial = 1; partial <= 12; partial += 1) value += Math.sin(2 * Math.PI * 160 * partial * time) / partial;
    samples[at] = Math.round(6000 * value);
  }
  return new Uint8Array(samples.buffer);
}

/** Plays chunks one after the other; `cuts` says what was thrown away unheard, in milliseconds. */
class Player {
  constructor() {
    this.utteranceId = '';
    this.end = 0;
    this.began = 0;
    /** @type {{cause: string, lostMs: number}[]} */
    this.cuts = [];
    /** @type {number[]} */
    this.gaps = [];
  }

  /** @param {string} cause */
  cut(cause) {
    const lostMs = Math.max(0, this.end - performance.now());
    if (lostMs > 0) this.cuts.push({ cause, lostMs: Math.round(lostMs) });
    this.end = 0;
  }

  /** @param {string} utteranceId @param {Uint8Array} audio @param {number} rate */
  play(utteranceId, audio, rate) {
    const now = performance.now();
    if (utteranceId !== this.utteranceId) {
      this.cut('new utteranceId');
      this.utteranceId = utteranceId;
    } else if (this.end && now > this.end) {
      this.gaps.push(Math.round(now - this.end));
    }
    this.end = Math.max(now, this.end) + (audio.byteLength / 2 / rate) * 1000;
  }

  get isPlaying() {
    return performance.now() < this.end;
  }
}

/** Every bigint in an event: a timestamp that came as uint64 would be one. */
function findBigInts(value, path = '') {
  if (typeof value === 'bigint') return [path];
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => findBigInts(inner, `${path}.${key}`));
}

export class ReactClient {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    this.sessionId = '';
    this.state = 'INITIALIZING';
    this.player = new Player();
    /** @type {any[]} */
    this.events = [];
    /** @type {any[]} */
    this.errors = [];
    /** @type {string[]} */
    this.bigInts = [];
    /** @type {string[]} */
    this.textFrames = [];
    /** @type {number[]} */
    this.closes = [];
    /** @type {{text: string, isFinal: boolean, id: string}[]} */
    this.transcripts = [];
    /** @type {Record<string, string>} */
    this.replies = {};
    /** @type {Map<string, {type: string, began: number, resolve: (ms: number) => void, timer: NodeJS.Timeout}>} */
    this.pending = new Map();
    /** @type {Set<() => void>} */
    this.watchers = new Set();
    this.chunk = new Uint8Array(CHUNK_BYTES);
    this.connections = 0;
    this.serial = 0;
  }

  connect() {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.url);
      socket.binaryType = 'arraybuffer';
      socket.onmessage = (message) => this.take(message.data);
      socket.onerror = () => reject(new Error(`cannot connect to ${this.url}`));
      socket.onclose = (event) => this.closed(event.code);
      socket.onopen = () => {
        this.connections += 1;
        resolve(undefined);
      };
      this.socket = socket;
    });
  }

  /** @param {number} code */
  closed(code) {
    this.closes.push(code);
    if (code !== 1000) setTimeout(() => this.connect().catch(() => {}), RECONNECT_MS);
    this.notify();
  }

  /** @param {string} eventType @param {object} payload */
  send(eventType, payload) {
    this.serial += 1;
    const eventId = `client-${this.serial}`;
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(packr.pack({ eventType, eventId, sessionId: this.sessionId, payload }));
    }
    return eventId;
  }

  /** Send and wait for the acknowledgement; gives its milliseconds. @param {string} eventType @param {object} payload */
  request(eventType, payload = {}) {
    return new Promise((resolve, reject) => {
      const eventId = this.send(eventType, payload);
      const timer = setTimeout(() => reject(new Error(`${eventType} was not acknowledged`)), ACK_MS);
      this.pending.set(eventId, { type: eventType, began: performance.now(), resolve, timer });
    });
  }

  /** @param {ArrayBuffer | string} data */
  take(data) {
    if (typeof data === 'string') {
      this.textFrames.push(data);
      return;
    }
    const event = unpackr.unpack(new Uint8Array(data));
    this.bigInts.push(...findBigInts(event));
    const { eventType, eventId, payload } = event;
    const waiting = this.pending.get(eventId);
    if (waiting && waiting.type === eventType && payload.success === true) {
      this.pending.delete(eventId);
      clearTimeout(waiting.timer);
      waiting.resolve(performance.now() - waiting.began);
    }
    this.events.push({ eventType, utteranceId: payload.utteranceId, at: performance.now() });
    if (eventType === 'error' || eventType.endsWith('.error')) this.errors.push({ eventType, ...payload });
    else this.show(eventType, event);
    this.notify();
  }

  /** @param {string} eventType @param {any} event */
  show(eventType, { sessionId, payload }) {
    if (eventType === 'connection.ack' && payload.success === true) this.sessionId ||= sessionId;
    else if (eventType === 'voicechat.state') this.state = payload.to;
    else if (eventType === 'voicechat.transcript.interim') this.transcribe(payload, false);
    else if (eventType === 'voicechat.transcript.final') this.transcribe(payload, true);
    else if (eventType === 'voicechat.response.start') this.player.cut('response.start');
    else if (eventType === 'voicechat.response.token') {
      this.replies[payload.utteranceId] = (this.replies[payload.utteranceId] ?? '') + payload.token;
    } else if (eventType === 'voicechat.response.chunk') {
      this.player.play(payload.utteranceId, payload.audio, payload.sampleRate);
    } else if (eventType === 'voicechat.response.interrupt' || eventType === 'voicechat.response.stop') {
      this.player.cut(eventType);
    }
  }

  /** An interim is replaced by the next of its utterance, and by its final. */
  transcribe({ text, utteranceId }, isFinal) {
    const last = this.transcripts.at(-1);
    if (last && last.id === utteranceId && !last.isFinal) this.transcripts.pop();
    this.transcripts.push({ text, isFinal, id: utteranceId });
  }

  /** Send what the microphone gives, 256 ms at a time, until it is stopped. */
  openMicrophone() {
    this.microphone = setInterval(() => {
      this.send('voicechat.audio.chunk', { audio: this.chunk, isMuted: false, timestamp: Date.now() });
    }, CHUNK_MS);
  }

  closeMicrophone() {
    clearInterval(this.microphone);
  }

  /** @param {number} ms */
  async speak(ms) {
    this.chunk = tone();
    await sleep(ms);
    this.chunk = new Uint8Array(CHUNK_BYTES);
  }

  notify() {
    for (const watcher of [...this.watchers]) watcher();
  }

  /** @param {string} what @param {() => boolean} isSo @param {number} seconds */
  until(what, isSo, seconds = 20) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.watchers.delete(look);
        reject(new Error(`did not happen: ${what}`));
      }, seconds * 1000);
      const look = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        this.watchers.delete(look);
        resolve(undefined);
      };
      this.watchers.add(look);
      look();
    });
  }

  /** @param {string} eventType */
  count(eventType) {
    return this.events.filter((event) => event.eventType === eventType).length;
  }

  report() {
    return {
      sessionId: this.sessionId,
      connections: this.connections,
      closes: this.closes,
      errors: this.errors,
      bigInts: this.bigInts,
      textFrames: this.textFrames,
      transcripts: this.transcripts,
      replies: Object.values(this.replies),
      cuts: this.player.cuts,
      gaps: this.player.gaps,
      events: this.events.map(({ eventType }) => eventType),
      audioAfterCancel: this.audioAfterCancel(),
      unsettled: [...this.pending.values()].map(({ type }) => type),
    };
  }

  /** How many chunks of an utterance came after it was cancelled. */
  audioAfterCancel() {
    const cancelled = new Set();
    let late = 0;
    for (const { eventType, utteranceId } of this.events) {
      if (/\.response\.(interrupt|stop)$/.test(eventType)) cancelled.add(utteranceId);
      else if (eventType.endsWith('.chunk') && cancelled.has(utteranceId)) late += 1;
    }
    return late;
  }
}

/** @param {number} ms */
export function sleep(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
