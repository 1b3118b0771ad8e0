// @ts-check
/** Hold a conversation as the React client would and print what it noticed, as JSON: `node conversation.mjs URL`. */

import { ReactClient, sleep } from './react-client.mjs';

const client = new ReactClient(process.argv[2]);
const steps = {};

async function untilAnswered(what) {
  const completed = client.count('voicechat.response.complete');
  await client.until(what, () => client.count('voicechat.response.complete') > completed);
  await client.until(`${what}: played`, () => client.state === 'LISTENING');
}

try {
  await client.connect();
  await client.until('both acks', () => client.count('connection.lifecycle.ack') + client.count('connection.ack') === 2);
  // The microphone is open before the start is acknowledged.
  client.openMicrophone();
  steps.startMs = await client.request('voicechat.audio.start', {
    samplingRate: 16000,
    agentId: undefined,
    language: 'en-US',
    voiceId: '694f9389-aac1-45b6-b726-9d9369183238',
  });
  await untilAnswered('the opening');

  await client.speak(1000);
  await untilAnswered('a spoken turn');

  const replies = client.count('voicechat.response.start');
  await client.speak(1000);
  await client.until('a second reply', () => client.count('voicechat.response.start') > replies);
  await sleep(700);
  const speaking = client.speak(1000);
  await client.until('a barge-in', () => client.count('voicechat.response.interrupt') === 1);
  await speaking;
  await untilAnswered('the answer to the barge-in');

  await client.speak(1000);
  client.closeMicrophone();
  steps.endMs = await client.request('voicechat.audio.end');
  await untilAnswered('the turn ended by the microphone');

  steps.secondStartMs = await client.request('voicechat.audio.start', { samplingRate: 16000 });
  client.openMicrophone();
  client.socket?.close(4000);
  await client.until('a reconnect', () => client.connections === 2);
  await client.speak(1000);
  await untilAnswered('a turn after the reconnect');
  client.closeMicrophone();
  steps.endCallMs = await client.request('user.action.end_call');
  await client.until('the end', () => client.closes.length === 2);
  await sleep(300);
} catch (error) {
  steps.failure = String(error);
}
process.stdout.write(`${JSON.stringify({ ...client.report(), steps })}\n`);
process.exit(0);
