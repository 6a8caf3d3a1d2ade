import assert from 'node:assert/strict';
import { StreamChat } from 'stream-chat';
import { backend, once } from './client/backend.ts';
import { connect } from './client/frontend.ts';

/** What a team knows from Stream Chat: the backend signs user tokens itself, with no call to anybody. */

const [KEY, SECRET] = ['stream-example', 'the API secret of your Stream app'];

// Once: Signalbox learns the secret with which your backend signs. Your code that mints stays as it is.
await once(`mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }`, {
  input: { kind: 'STREAM', key: { id: KEY, secret: SECRET } },
});
await once(`mutation { createChannel(input: { id: "stream-lobby", type: PUBLIC }) { id } }`);

const say = (text: string) =>
  backend(
    `mutation ($data: JSON) { publishMessage(channel: "stream-lobby", event: "message.new", data: $data) { connections } }`,
    { data: { text } },
  );

// Your backend’s route for tokens. The first one lives for three seconds, so that this example needs no patience.
const stream = new StreamChat(KEY, SECRET);
let tokens = 0;
async function tokenProvider(): Promise<string> {
  tokens += 1;
  const now = Math.floor(Date.now() / 1000);
  console.log(`Token ${tokens} is fetched.`);
  // Whoever asks again is away: what is said now must not be lost.
  if (tokens > 1) await say('said while ada was away');
  return stream.createToken('ada', tokens > 1 ? now + 3600 : now + 3, now);
}

// client.connectUser({ id: 'ada' }, tokenProvider): the user appears at the first connection
const frontend = connect(tokenProvider);
const { token } = await frontend.hear('Connected');
assert(token);
const { isOnline } = await backend<{ isOnline: boolean }>(`query ($token: ID!) { isOnline(token: $token) }`, {
  token: token.id,
});
assert.equal(isOnline, true);
console.log('ada is online.');

// channel.watch(): any token may enter a PUBLIC channel
await frontend.ask(
  `mutation ($token: ID!) { subscribeToken(channel: "stream-lobby", token: $token) { createdAt } }`,
  { token: token.id },
);

// channel.sendMessage({ text }), by ada herself
await frontend.ask(
  `mutation { publishMessage(channel: "stream-lobby", event: "message.new", data: { text: "hello" }) { message { id } } }`,
);
const { message } = await frontend.hear('message.new');
assert.deepEqual(message?.data, { text: 'hello' });
console.log(`${message.sender.identity ?? ''} said:`, message.data);

// backend: sendUserCustomEvent('ada', event), on all of her devices
await backend(
  `mutation { publishDirectMessage(identity: "ada", event: "stream.notice", data: "for ada alone") { connections } }`,
);
console.log('Directly:', (await frontend.hear('stream.notice')).message?.data);

// Stream’s error 40: the token expires (4403), the provider is asked again, and events resume where they stopped.
console.log('The token ends:', (await frontend.hear('Disconnecting')).reason);
await frontend.hear('Connected');
const missed = await frontend.hear('message.new');
assert.deepEqual(missed.message?.data, { text: 'said while ada was away' });
console.log('Resumed:', missed.message.data);

// …and it goes on.
await say('welcome back');
assert.deepEqual((await frontend.hear('message.new')).message?.data, { text: 'welcome back' });
console.log('ada hears on, with token', tokens);
frontend.close();
