// @ts-check
// Shows on the landing page whether this server can take a call now.

const SECONDS = 10;
const NAMES = new Map([
  ["database", "Database"], ["broker", "Task queue"], ["channel_layer", "Messages"], ["journal", "Journal"], ["calls", "Calls"],
]);

const box = document.getElementById("health");
const dot = document.getElementById("health-dot");
const word = document.getElementById("health-word");
const parts = document.getElementById("health-parts");

/**
 * @param {boolean} isGood
 * @param {string} words
 */
function show(isGood, words) {
  dot?.classList.toggle("dot-good", isGood);
  dot?.classList.toggle("dot-bad", !isGood);
  // A live region speaks whenever its text is set, even to the same.
  if (word && word.textContent !== words) word.textContent = words;
}

/**
 * @param {string} name
 * @param {{ ok: boolean, detail: string }} part
 */
function row(name, part) {
  const line = document.createElement("div");
  const term = document.createElement("dt");
  const detail = document.createElement("dd");
  term.textContent = NAMES.get(name) ?? name;
  detail.textContent = part.detail;
  detail.classList.toggle("is-bad", !part.ok);
  line.append(term, detail);
  return line;
}

async function look() {
  try {
    const answer = await fetch(String(box?.dataset.url), { cache: "no-store" });
    const verdict = await answer.json();
    show(answer.ok, answer.ok ? "Ready for calls" : "Not ready for calls");
    parts?.replaceChildren(...Object.entries(verdict.parts).map(([name, part]) => row(name, part)));
  } catch {
    show(false, "Does not answer");
  }
  setTimeout(look, SECONDS * 1000);
}

if (box) void look();
