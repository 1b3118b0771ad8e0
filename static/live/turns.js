// @ts-check
// A watched conversation as it is known so far. Each message of the server has whole turns: what comes replaces what was.

/**
 * @typedef {object} Turn
 * @property {string} key
 * @property {"caller" | "agent"} speaker
 * @property {string} text
 * @property {boolean} is_final
 * @property {boolean} is_interrupted
 * @property {string} unheard of an interrupted reply: what was not said any more
 * @property {number | null} total_ms how long the caller waited for it
 */

export class Turns {
  /** @type {Map<string, Turn>} */
  #turns = new Map();

  /**
   * Take turns of a call that goes on; gives those that are new or changed.
   * @param {Turn[]} turns
   */
  receive(turns) {
    const changed = turns.filter((turn) => !isSame(this.#turns.get(turn.key), turn));
    for (const turn of changed) this.#turns.set(turn.key, turn);
    return changed;
  }

  /**
   * Take the turns of a call that is over as they are stored, in place of all that was shown. Without any the view stays.
   * @param {Turn[]} turns
   */
  replace(turns) {
    if (!turns.length) return false;
    this.#turns = new Map(turns.map((turn) => [turn.key, turn]));
    return true;
  }

  get all() {
    return [...this.#turns.values()];
  }

  /** The latest wait for an answer, ms. */
  get latency() {
    return this.all.findLast((turn) => turn.total_ms !== null)?.total_ms ?? null;
  }
}

/**
 * @param {Turn | undefined} one
 * @param {Turn} other
 */
function isSame(one, other) {
  return one !== undefined && JSON.stringify(one) === JSON.stringify(other);
}
