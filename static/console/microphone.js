// @ts-check
// The microphone, as 20 ms pieces of PCM16.

import { running } from "./audio-context.js";
import { LOST, STUCK, describeFailure, obstacle } from "./microphone-failures.js";

/** @typedef {import("./microphone-failures.js").Failure} Failure */

export class MicrophoneError extends Error {
  name = "MicrophoneError";

  /** @param {Failure} failure */
  constructor(failure) {
    super(`${failure.title} ${failure.remedy}`);
  }
}

/**
 * @typedef {object} Listener
 * @property {(pcm: Uint8Array, dbfs: number) => void} onAudio
 * @property {(failure: Failure) => void} onLost
 */

export class Microphone {
  #stream;
  #context;

  /**
   * @param {MediaStream} stream
   * @param {AudioContext} context
   */
  constructor(stream, context) {
    this.#stream = stream;
    this.#context = context;
  }

  /**
   * Ask for permission and start capturing. Call it from a click or a key: browsers start audio only then.
   * @param {string} workletUrl
   * @param {Listener} listener
   * @throws {MicrophoneError} in words for the person at the page
   */
  static async open(workletUrl, { onAudio, onLost }) {
    const failure = obstacle({ isSecure: isSecureContext, hasApi: Boolean(navigator.mediaDevices?.getUserMedia) });
    if (failure) throw new MicrophoneError(failure);
    const stream = await ask();
    const context = new AudioContext({ latencyHint: "interactive" });
    try {
      await context.audioWorklet.addModule(workletUrl);
      const capture = new AudioWorkletNode(context, "capture", {
        numberOfInputs: 1, numberOfOutputs: 1, channelCount: 1, channelCountMode: "explicit",
      });
      capture.port.onmessage = ({ data }) => onAudio(data.pcm, data.dbfs);
      context.createMediaStreamSource(stream).connect(capture);
      // Its output is silence; a node that leads nowhere is not run by every browser.
      capture.connect(context.destination);
      if (!(await running(context))) throw new MicrophoneError(STUCK);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      await context.close();
      throw error;
    }
    for (const track of stream.getAudioTracks()) track.addEventListener("ended", () => onLost(LOST));
    return new Microphone(stream, context);
  }

  /** @param {boolean} isMuted the pieces go on and hold silence */
  mute(isMuted) {
    for (const track of this.#stream.getAudioTracks()) track.enabled = !isMuted;
  }

  async close() {
    for (const track of this.#stream.getTracks()) track.stop();
    if (this.#context.state !== "closed") await this.#context.close();
  }
}

async function ask() {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
  } catch (error) {
    throw new MicrophoneError(describeFailure(error));
  }
}
