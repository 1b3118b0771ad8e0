import assert from "node:assert/strict";
import { test } from "node:test";

import { Transcript } from "../../static/console/transcript.js";

const event = (type, payload) => ({ type, id: "E", sessionId: "S", payload });
const seen = (transcript) => transcript.turns.map(({ speaker, text, isFinal }) => [speaker, text, isFinal]);

test("interim words are replaced, the final ones stay", () => {
  const transcript = new Transcript();
  for (const [type, text] of [["interim", "hel"], ["interim", "hello ther"], ["final", "Hello there."], ["interim", "late"]]) {
    transcript.receive(event(`transcript.${type}`, { text, utteranceId: "C1", confidence: 0.9 }));
  }
  assert.deepEqual(seen(transcript), [["caller", "Hello there.", true]]);
  assert.equal(transcript.turns[0].confidence, 0.9);
});

test("every utterance is a turn of its own", () => {
  const transcript = new Transcript();
  transcript.receive(event("transcript.final", { text: "one", utteranceId: "C1" }));
  transcript.receive(event("transcript.interim", { text: "two", utteranceId: "C2" }));
  assert.deepEqual(seen(transcript), [["caller", "one", true], ["caller", "two", false]]);
});

test("silence makes no turn", () => {
  const transcript = new Transcript();
  assert.equal(transcript.receive(event("transcript.final", { text: " ", utteranceId: "C1" })), null);
  assert.equal(transcript.receive(event("conversation.state.changed", { to: "LISTENING" })), null);
  assert.deepEqual(transcript.turns, []);
});

test("the agent's words appear as they come, and the whole text at the end", () => {
  const transcript = new Transcript();
  transcript.receive(event("conversation.response.token", { utteranceId: "A1", token: "Good " }));
  transcript.receive(event("conversation.response.token", { utteranceId: "A1", token: "day" }));
  assert.deepEqual(seen(transcript), [["agent", "Good day", false]]);
  transcript.receive(event("conversation.response.complete", { utteranceId: "A1", text: "Good day." }));
  transcript.receive(event("conversation.response.token", { utteranceId: "A1", token: "late" }));
  assert.deepEqual(seen(transcript), [["agent", "Good day.", true]]);
});

test("an interrupted reply keeps what was heard and shows the rest as unheard", () => {
  const transcript = new Transcript();
  transcript.receive(event("conversation.response.token", { utteranceId: "A1", token: "One two three four" }));
  transcript.receive(event("audio.output.cancel", { utteranceId: "A1", heardText: "One two", reason: "barge_in" }));
  transcript.receive(event("conversation.response.complete", { utteranceId: "A1", text: "One two three four" }));
  const [{ text, unheard, isInterrupted, isFinal }] = transcript.turns;
  assert.deepEqual([text, unheard, isInterrupted, isFinal], ["One two", "three four", true, true]);
});

test("a reply that is interrupted after all of it was sent is cut too", () => {
  const transcript = new Transcript();
  transcript.receive(event("conversation.response.complete", { utteranceId: "A1", text: "One two three" }));
  transcript.receive(event("audio.output.cancel", { utteranceId: "A1", heardText: "" }));
  assert.deepEqual([transcript.turns[0].text, transcript.turns[0].unheard], ["", "One two three"]);
});

test("heard words that differ from the written ones stand alone", () => {
  const transcript = new Transcript();
  transcript.receive(event("conversation.response.token", { utteranceId: "A1", token: "It costs 5 $ a day" }));
  transcript.receive(event("audio.output.cancel", { utteranceId: "A1", heardText: "It costs five dollars" }));
  assert.deepEqual([transcript.turns[0].text, transcript.turns[0].unheard], ["It costs five dollars", ""]);
});

test("a cancel of an unknown reply changes nothing", () => {
  assert.equal(new Transcript().receive(event("audio.output.cancel", { utteranceId: "A9", heardText: "" })), null);
});

test("a typed turn is shown once, though the server gives it back", () => {
  const transcript = new Transcript();
  transcript.type("E1", " yes please ");
  transcript.receive(event("transcript.final", { text: "yes please", utteranceId: "C1" }));
  assert.deepEqual(seen(transcript), [["caller", "yes please", true]]);
  transcript.receive(event("transcript.final", { text: "yes please", utteranceId: "C2" }));
  assert.equal(transcript.turns.length, 2);
});

test("notes stand between the turns, and a new call begins with none", () => {
  const transcript = new Transcript();
  transcript.note("The connection was lost.");
  transcript.note("The call is over.");
  assert.deepEqual(seen(transcript).map(([speaker]) => speaker), ["note", "note"]);
  transcript.clear();
  assert.deepEqual(transcript.turns, []);
});
