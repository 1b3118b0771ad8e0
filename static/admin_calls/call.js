// @ts-check
/** The page of a call: draws the waveform, moves the player, marks the turn that is heard. */

import { layOut, momentAt, turnAt } from "./waveform.js";

const STEP = 3;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLAudioElement} audio
 * @param {{durationMs: number, peaks: number[][], turns: import("./waveform.js").Turn[]}} call
 */
function show(canvas, audio, call) {
  const items = document.querySelectorAll("[data-turn]");

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    if (!context) return;
    const style = getComputedStyle(canvas);
    context.scale(ratio, ratio);
    const bars = layOut(call.peaks, width, height, STEP);
    /** @type {[import("./waveform.js").Bar[], string][]} */
    const sides = [[bars.caller, "--call-caller"], [bars.agent, "--call-agent"]];
    for (const [side, colour] of sides) {
      context.fillStyle = style.getPropertyValue(colour);
      for (const bar of side) context.fillRect(bar.x, bar.y, bar.width, bar.height);
    }
    context.fillStyle = style.getPropertyValue("--body-quiet-color");
    context.fillRect(0, height / 2, width, 1);
    context.fillStyle = style.getPropertyValue("--link-fg");
    context.fillRect((audio.currentTime * 1000 * width) / Math.max(call.durationMs, 1), 0, 2, height);
  }

  function mark() {
    const now = turnAt(call.turns, audio.currentTime * 1000);
    items.forEach((item, index) => item.classList.toggle("call-turn-now", index === now && !audio.paused));
    draw();
  }

  /** @param {number} seconds */
  function seek(seconds) {
    audio.currentTime = seconds;
    mark();
  }

  canvas.addEventListener("click", (event) => {
    seek(momentAt(event.offsetX, canvas.clientWidth, call.durationMs) / 1000);
  });
  for (const button of document.querySelectorAll("[data-seek]")) {
    button.addEventListener("click", () => {
      seek(Number(/** @type {HTMLElement} */ (button).dataset.seek));
      // A browser may refuse to play; the player then stands at the right place all the same.
      audio.play().catch(() => {});
    });
  }
  for (const event of ["timeupdate", "play", "pause", "seeked"]) audio.addEventListener(event, mark);
  new ResizeObserver(draw).observe(canvas);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["class"] });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
}

const canvas = document.getElementById("call-waveform");
const audio = document.getElementById("call-audio");
const stored = document.getElementById("call-waveform-data");
if (canvas instanceof HTMLCanvasElement && audio instanceof HTMLAudioElement && stored?.textContent) {
  show(canvas, audio, JSON.parse(stored.textContent));
}
