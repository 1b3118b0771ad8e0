// @ts-check
// Runs in the audio thread: microphone samples to 20 ms of PCM16 at the protocol's rate, with their level.

import { Chunker, INPUT_HZ, floatToPcm16, levelDbfs } from "./pcm.js";
import { Resampler } from "./resample.js";

const CHUNK_SAMPLES = INPUT_HZ / 50;

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, INPUT_HZ);
  #chunker = new Chunker(CHUNK_SAMPLES);

  /** @param {Float32Array[][]} inputs */
  process([input]) {
    // Without a channel the source has been disconnected: nothing is captured, and time does not go on.
    if (input.length) {
      for (const chunk of this.#chunker.feed(this.#resampler.feed(input[0]))) {
        const pcm = floatToPcm16(chunk);
        this.port.postMessage({ pcm, dbfs: levelDbfs(chunk) }, [pcm.buffer]);
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
