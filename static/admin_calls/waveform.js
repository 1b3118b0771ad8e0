// @ts-check
/** The picture of a call's sound: pure arithmetic, no page. */

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Bar
 * @typedef {{startMs: number, endMs: number, isAgent: boolean}} Turn
 */

const QUIETEST_SCALE = 10;

/**
 * Lay out one bar per column: the caller's upwards from the middle line, the agent's downwards.
 * Several peaks that fall into one column show as the loudest of them.
 * @param {number[][]} peaks percent, [caller, agent], evenly spread over the recording
 * @param {number} width in pixels
 * @param {number} height in pixels
 * @param {number} step pixels from one column to the next
 * @returns {{caller: Bar[], agent: Bar[]}}
 */
export function layOut(peaks, width, height, step) {
  const middle = height / 2;
  /** @type {{caller: Bar[], agent: Bar[]}} */
  const bars = { caller: [], agent: [] };
  if (peaks.length === 0) return bars;
  // A quiet recording fills the picture too; silence stays flat.
  const loudest = Math.max(QUIETEST_SCALE, ...peaks.map((peak) => Math.max(peak[0], peak[1])));
  const columns = Math.max(Math.floor(width / step), 1);
  for (let column = 0; column < columns; column += 1) {
    const first = Math.floor((column * peaks.length) / columns);
    const last = Math.max(Math.ceil(((column + 1) * peaks.length) / columns), first + 1);
    const slice = peaks.slice(first, last);
    const x = column * step;
    const barWidth = Math.max(step - 1, 1);
    const up = (Math.max(...slice.map((peak) => peak[0])) / loudest) * middle;
    const down = (Math.max(...slice.map((peak) => peak[1])) / loudest) * middle;
    bars.caller.push({ x, y: middle - up, width: barWidth, height: up });
    bars.agent.push({ x, y: middle, width: barWidth, height: down });
  }
  return bars;
}

/**
 * Find the turn that is being heard: of those that contain the moment the one that began last; -1 for none.
 * @param {Turn[]} turns
 * @param {number} ms
 * @returns {number}
 */
export function turnAt(turns, ms) {
  for (let index = turns.length - 1; index >= 0; index -= 1) {
    if (turns[index].startMs <= ms && ms < turns[index].endMs) return index;
  }
  return -1;
}

/**
 * Turn a place on the picture into a moment of the recording.
 * @param {number} x pixels from the left
 * @param {number} width of the picture in pixels
 * @param {number} durationMs
 * @returns {number} milliseconds
 */
export function momentAt(x, width, durationMs) {
  if (width <= 0) return 0;
  return Math.min(Math.max(x / width, 0), 1) * durationMs;
}
