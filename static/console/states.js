// @ts-check
// What the page says about the call, in words.

/** @typedef {import("./call.js").Phase} Phase */
/** @typedef {{ word: string, look: "idle" | "busy" | "live" | "problem" }} Shown */

/** @type {Record<string, Shown>} */
const CONVERSATION = {
  INITIALIZING: { word: "Getting ready", look: "busy" },
  LISTENING: { word: "Listening", look: "live" },
  THINKING: { word: "Thinking", look: "busy" },
  RESPONDING: { word: "Agent speaks", look: "live" },
  INTERRUPTED: { word: "Interrupted", look: "live" },
  ENDED: { word: "Over", look: "idle" },
};

/** @type {Record<Phase, Shown>} */
const PHASES = {
  idle: { word: "No call", look: "idle" },
  connecting: { word: "Connecting", look: "busy" },
  live: { word: "Connected", look: "live" },
  waiting: { word: "Connection lost", look: "problem" },
  ending: { word: "Ending", look: "busy" },
};

/** @type {Record<Phase, string>} */
const START_LABELS = {
  idle: "Start call",
  connecting: "Cancel",
  live: "End call",
  waiting: "Stop trying",
  ending: "Hang up",
};

/**
 * @param {Phase} phase
 * @param {string} state the server's word
 * @returns {Shown}
 */
export function shownState(phase, state) {
  return (phase === "live" && CONVERSATION[state]) || PHASES[phase];
}

/** @param {Phase} phase */
export function startLabel(phase) {
  return START_LABELS[phase];
}

/**
 * Minutes and seconds: "3:07".
 * @param {number} ms
 */
export function formatClock(ms) {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/**
 * Why a handshake failed, from what /health/ready says; a browser tells a page nothing about it.
 * @param {number} status of the answer; 0: none came
 * @param {Record<string, { ok: boolean, detail: string }>} parts
 * @returns {{ text: string, mayRetry: boolean }}
 */
export function explainRefusal(status, parts) {
  if (status === 200) {
    return {
      text: "The server refused the call: your login has ended, all its lines are busy, or it does not accept calls from this address. Load the page again.",
      mayRetry: false,
    };
  }
  const broken = Object.entries(parts).filter(([, part]) => !part.ok).map(([name, part]) => `${name}: ${part.detail}`);
  if (broken.length) return { text: `The server cannot take calls now (${broken.join("; ")}).`, mayRetry: true };
  return { text: "The server does not answer.", mayRetry: true };
}
