// @ts-check
// Where the time between the caller's last word and the agent's first went.

/** @typedef {"endpointing" | "stt" | "llm" | "tts" | "total"} Part */
/** @typedef {Record<Part, number>} Latency milliseconds */

/** @type {readonly { part: Part, label: string, meaning: string }[]} */
export const PARTS = [
  { part: "endpointing", label: "End of turn", meaning: "from the end of your speech to the decision that you have finished" },
  { part: "stt", label: "Transcript", meaning: "of it, waiting for the last words after the patience ran out" },
  { part: "llm", label: "Answer", meaning: "from the request to the first words of the reply" },
  { part: "tts", label: "Speech", meaning: "from the first words to their first sound" },
  { part: "total", label: "Total", meaning: "from the end of your speech to the agent's first sound on the socket" },
];

/**
 * Read the figures of an event; null where there is none, as for the opening line.
 * @param {Record<string, unknown>} payload
 * @returns {Latency | null}
 */
export function readLatency(payload) {
  const found = PARTS.map(({ part }) => {
    const value = payload[part];
    return [part, typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0];
  });
  const latency = /** @type {Latency} */ (Object.fromEntries(found));
  return latency.total > 0 ? latency : null;
}

/**
 * A figure as one reads it: "412 ms", "1.24 s", "0 ms".
 * @param {number} ms
 */
export function formatMs(ms) {
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/**
 * How far a bar reaches, from 0 to 1, on a scale that all bars of one turn share. The parts may overlap.
 * @param {Latency} latency
 * @param {Part} part
 */
export function share(latency, part) {
  const longest = Math.max(...Object.values(latency));
  return longest > 0 ? latency[part] / longest : 0;
}

/**
 * Median and worst of the totals; null without a turn.
 * @param {readonly Latency[]} turns
 */
export function summary(turns) {
  if (!turns.length) return null;
  const totals = turns.map((turn) => turn.total).sort((a, b) => a - b);
  const middle = totals.length >> 1;
  const median = totals.length % 2 ? totals[middle] : (totals[middle - 1] + totals[middle]) / 2;
  return { count: totals.length, median, worst: totals[totals.length - 1] };
}
