// @ts-check
// Why there is no microphone, and what the person at the page can do about it.

/** @typedef {{ title: string, remedy: string }} Failure */

/** @type {Record<string, Failure>} */
const FAILURES = {
  denied: {
    title: "The microphone is blocked for this page.",
    remedy: "Allow it in the address bar (the icon left of the address), then start again.",
  },
  deniedBySystem: {
    title: "Your system does not let this browser use the microphone.",
    remedy: "Allow it in the system's privacy settings, then start again.",
  },
  missing: {
    title: "No microphone was found.",
    remedy: "Plug one in or switch it on, then start again.",
  },
  busy: {
    title: "The microphone cannot be opened; another program may be using it.",
    remedy: "Close the other program or choose another microphone, then start again.",
  },
  insecure: {
    title: "Browsers give the microphone only to secure pages.",
    remedy: "Open this page through https:// or, on the same machine, through http://localhost.",
  },
  unsupported: {
    title: "This browser gives pages no microphone.",
    remedy: "Use a current Chromium, Firefox or Safari.",
  },
  stuck: {
    title: "The browser could not start its audio.",
    remedy: "Some browsers need a loudspeaker or headphones even to listen: connect one, then start again.",
  },
  lost: {
    title: "The microphone was disconnected.",
    remedy: "Go on by typing, or plug it in and start a new call.",
  },
};

const BY_NAME = new Map([
  ["NotAllowedError", FAILURES.denied],
  ["SecurityError", FAILURES.denied],
  ["NotFoundError", FAILURES.missing],
  ["OverconstrainedError", FAILURES.missing],
  ["NotReadableError", FAILURES.busy],
  ["AbortError", FAILURES.busy],
]);

export const { lost: LOST, stuck: STUCK } = FAILURES;

/**
 * What stands in the way before the browser is even asked.
 * @param {{ isSecure: boolean, hasApi: boolean }} page
 * @returns {Failure | null}
 */
export function obstacle({ isSecure, hasApi }) {
  if (!isSecure) return FAILURES.insecure;
  return hasApi ? null : FAILURES.unsupported;
}

/**
 * @param {unknown} error what getUserMedia threw
 * @returns {Failure}
 */
export function describeFailure(error) {
  const name = error instanceof Error ? error.name : "";
  const message = error instanceof Error ? error.message : String(error);
  if (name === "NotAllowedError" && /system/i.test(message)) return FAILURES.deniedBySystem;
  const known = BY_NAME.get(name);
  return known ?? { title: `The microphone could not be opened (${name || message}).`, remedy: "Go on by typing." };
}
