// @ts-check
// What the end of a connection means to the person at the page, and how long to wait before the next try.

/** @typedef {{ text: string, mayRetry: boolean, isOver: boolean }} Meaning */

const MEANINGS = new Map([
  [1001, "The server ended the call: nothing happened for a long time, or it is shutting down."],
  [1008, "The server ended the call: it got messages that it does not accept."],
  [1009, "The server ended the call: a message was too big."],
  [1011, "The server ended the call after an internal error. Its log says more."],
]);

/**
 * @param {number} code of the WebSocket's close
 * @returns {Meaning}
 */
export function closeMeaning(code) {
  if (code === 1000) return { text: "The call is over.", mayRetry: false, isOver: true };
  if (code === 1013) return { text: "The server is busy.", mayRetry: true, isOver: false };
  const known = MEANINGS.get(code);
  if (known) return { text: known, mayRetry: false, isOver: false };
  return { text: "The connection was lost.", mayRetry: true, isOver: false };
}

export const MOST_TRIES = 10;

/**
 * Half a second, doubled up to 8 s, and up to a fifth more or less so that clients do not come back all at once.
 * @param {number} tries that failed, from 1
 * @param {number} random from 0 to 1
 * @returns {number} milliseconds
 */
export function retryDelay(tries, random) {
  const delay = Math.min(500 * 2 ** (tries - 1), 8000);
  return Math.round(delay * (0.8 + 0.4 * random));
}
