// @ts-check
// The head and the controls of the call: state, duration, problem, buttons, typed words, level.

import { byId } from "./dom.js";
import { meterShare } from "./pcm.js";
import { formatClock, shownState, startLabel } from "./states.js";

/** @typedef {import("./call.js").Phase} Phase */
/** @typedef {"start" | "mute" | "interrupt" | "retry"} Button */

const VALUE_MS = 250;

export class ControlsView {
  #console = byId("console", HTMLElement);
  #state = byId("state", HTMLElement);
  #word = byId("state-word", HTMLElement);
  #clock = byId("clock", HTMLElement);
  #problem = byId("problem", HTMLElement);
  #problemText = byId("problem-text", HTMLElement);
  #buttons = {
    start: byId("start", HTMLButtonElement),
    mute: byId("mute", HTMLButtonElement),
    interrupt: byId("interrupt", HTMLButtonElement),
    retry: byId("retry", HTMLButtonElement),
  };
  #words = byId("words", HTMLInputElement);
  #send = byId("send", HTMLButtonElement);
  #hint = byId("hint", HTMLElement);
  #meter = byId("meter", HTMLElement);
  #fill = byId("meter-fill", HTMLElement);
  #valueAt = 0;

  /**
   * @param {Button} name
   * @param {() => void} work
   */
  on(name, work) {
    this.#buttons[name].addEventListener("click", work);
  }

  /** @param {(words: string) => boolean} take gives whether the words were sent */
  onWords(take) {
    byId("composer", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const words = this.#words.value.trim();
      if (words && take(words)) this.#words.value = "";
    });
  }

  /**
   * @param {Phase} phase
   * @param {string} state the conversation's, in the server's word
   * @param {boolean} hasMicrophone
   */
  show(phase, state, hasMicrophone) {
    const { word, look } = shownState(phase, state);
    const isLive = phase === "live";
    // A live region speaks whenever its text is set, even to the same.
    if (this.#word.textContent !== word) this.#word.textContent = word;
    this.#state.dataset.state = look;
    this.#console.classList.toggle("is-active", phase !== "idle");
    this.#buttons.start.textContent = startLabel(phase);
    this.#buttons.start.classList.toggle("button-main", phase === "idle");
    this.#buttons.start.classList.toggle("button-end", phase !== "idle");
    this.#buttons.interrupt.disabled = !isLive || state !== "RESPONDING";
    this.#buttons.mute.disabled = !isLive || !hasMicrophone;
    this.#words.disabled = this.#send.disabled = !isLive;
    if (!hasMicrophone) this.showLevel(0, false, "off");
  }

  focusWords() {
    this.#words.focus();
  }

  /** @param {number | null} ms since the call began; null: no call */
  showClock(ms) {
    this.#clock.hidden = ms === null;
    this.#clock.textContent = formatClock(ms ?? 0);
  }

  /**
   * @param {string} words empty: nothing is wrong
   * @param {string} [action] what the button beside it says
   */
  showProblem(words, action = "") {
    this.#problem.hidden = !words;
    this.#problemText.textContent = words;
    this.#buttons.retry.hidden = !action;
    this.#buttons.retry.textContent = action;
  }

  /** @param {string} words */
  showHint(words) {
    this.#hint.textContent = words;
    this.#hint.hidden = !words;
  }

  /** @param {boolean} isMuted */
  showMuted(isMuted) {
    this.#buttons.mute.textContent = isMuted ? "Unmute" : "Mute";
    this.#buttons.mute.classList.toggle("is-on", isMuted);
    this.#meter.classList.toggle("is-muted", isMuted);
  }

  /**
   * @param {number} dbfs
   * @param {boolean} isMuted
   * @param {string} [words] in place of the figure
   */
  showLevel(dbfs, isMuted, words) {
    const share = isMuted || words ? 0 : meterShare(dbfs);
    this.#fill.style.transform = `scaleX(${share})`;
    const now = performance.now();
    if (!words && now - this.#valueAt < VALUE_MS) return;
    this.#valueAt = now;
    this.#meter.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    this.#meter.setAttribute("aria-valuetext", words ?? (isMuted ? "muted" : `${Math.round(share * 100)} percent`));
  }
}
