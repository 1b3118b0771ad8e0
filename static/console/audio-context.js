// @ts-check
// Starting an audio context: where there is no audio device, some browsers never say that it did not start.

const WAIT_MS = 1500;

/**
 * @param {AudioContext} context
 * @returns {Promise<boolean>} whether it runs
 */
export async function running(context) {
  const late = new Promise((resolve) => {
    setTimeout(resolve, WAIT_MS);
  });
  await Promise.race([context.resume(), late]);
  return context.state === "running";
}
