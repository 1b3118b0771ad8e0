// @ts-check
// Both directions of a call's sound, and what is said when one of them is missing.

import { SILENCE_DBFS } from "./pcm.js";
import { Microphone } from "./microphone.js";
import { Player } from "./player.js";

/** After three seconds of digital silence, something is switched off. */
const SILENT_PIECES = 150;

/**
 * @typedef {object} Listener
 * @property {(pcm: Uint8Array, dbfs: number, isMuted: boolean) => void} onAudio
 * @property {(utteranceId: string, playedMs: number) => void} onPlayed
 * @property {(words: string) => void} onLost the microphone is gone
 * @property {(isSilent: boolean) => void} onSilence no sound at all arrives from the microphone, or it does again
 */

export class Sound {
  #urls;
  #listener;
  /** @type {Microphone | null} */
  #microphone = null;
  /** @type {Player | null} */
  #player = null;
  #silentPieces = 0;
  isMuted = false;

  /**
   * @param {{ capture: string, playback: string }} urls of the worklets
   * @param {Listener} listener
   */
  constructor(urls, listener) {
    this.#urls = urls;
    this.#listener = listener;
  }

  get hasMicrophone() {
    return this.#microphone !== null;
  }

  /**
   * @param {boolean} wantsMicrophone
   * @returns {Promise<string>} a warning when nothing can be played, else empty
   * @throws {import("./microphone.js").MicrophoneError}
   */
  async open(wantsMicrophone) {
    this.isMuted = false;
    this.#silentPieces = 0;
    if (wantsMicrophone) {
      this.#microphone = await Microphone.open(this.#urls.capture, {
        onAudio: (pcm, dbfs) => this.#hear(pcm, dbfs),
        onLost: ({ title, remedy }) => this.#lose(`${title} ${remedy}`),
      });
    }
    return this.#openPlayer();
  }

  async #openPlayer() {
    try {
      this.#player ??= await Player.open(this.#urls.playback, this.#listener.onPlayed);
      this.#player.reset();
      return this.#player.isRunning ? "" : "No sound can be played: the browser found no loudspeaker.";
    } catch {
      // Without a secure page there are no audio worklets; the conversation goes on in writing.
      return "This page cannot play sound here; open it through https:// or http://localhost.";
    }
  }

  /**
   * @param {string} utteranceId
   * @param {Uint8Array} pcm
   * @param {number} rate
   */
  play(utteranceId, pcm, rate) {
    this.#player?.play(utteranceId, pcm, rate);
  }

  /** @param {string} utteranceId of which nothing more follows */
  finish(utteranceId) {
    this.#player?.finish(utteranceId);
  }

  /** @param {string} utteranceId */
  cancel(utteranceId) {
    this.#player?.cancel(utteranceId);
  }

  stop() {
    this.#player?.stop();
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    this.isMuted = isMuted;
    this.#microphone?.mute(isMuted);
  }

  /** The loudspeaker stays open: the last words may still be playing, and the next call needs it again. */
  async closeMicrophone() {
    const microphone = this.#microphone;
    this.#microphone = null;
    await microphone?.close();
  }

  /**
   * @param {Uint8Array} pcm
   * @param {number} dbfs
   */
  #hear(pcm, dbfs) {
    if (!this.#microphone) return;
    this.#listener.onAudio(pcm, dbfs, this.isMuted);
    const wasSilent = this.#silentPieces >= SILENT_PIECES;
    this.#silentPieces = dbfs <= SILENCE_DBFS && !this.isMuted ? this.#silentPieces + 1 : 0;
    const isSilent = this.#silentPieces >= SILENT_PIECES;
    if (isSilent !== wasSilent) this.#listener.onSilence(isSilent);
  }

  /** @param {string} words */
  #lose(words) {
    if (!this.#microphone) return;
    void this.closeMicrophone();
    this.#listener.onLost(words);
  }
}
