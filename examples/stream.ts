import assert from 'node:assert/strict';
import { StreamChat } from 'stream-chat';
import { backend, createOnce } from './client/backend.ts';
import { connect } from './client/frontend.ts';

/** The calls that a team knows from Stream Chat: the backend signs user tokens itself, without an API call. */

const [KEY, SECRET] = ['stream-example', 'the API secret of your Stream app'];

// Once: register the secret with which your backend signs. Your code that creates tokens stays as it is.
await createOnce(`mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }`, {
  input: { kind: 'STREAM', key: { id: KEY, secret: SECRET } },
});
await createOnce(`mutation { createChannel(input: { id: "stream-lobby", type: PUBLIC }) { id } }`);

const publish = (text: string) =>
  backend(
    `mutation ($data: JSON) { publishMessage(channel: "stream-lobby", event: "message.new", data: $data) { connections } }`,
    { data: { text } },
  );

// Your backend’s route for tokens. The first token expires after three seconds, to keep the example short.
const stream = new StreamChat(KEY, SECRET);
let tokens = 0;
async function tokenProvider(): Promise<string> {
  tokens += 1;
  const now = Math.floor(Date.now() / 1000);
  console.log(`Token ${tokens} is fetched.`);
  // At the second call the client is disconnected: this message must not be lost.
  if (tokens > 1) await publish('published while ada was away');
  return stream.createToken('ada', tokens > 1 ? now + 3600 : now + 3, now);
}

// client.connectUser({ id: 'ada' }, tokenProvider): the user appears at the first connection
const frontend = connect(tokenProvider);
const { token } = await frontend.waitFor('Connected');
assert(token);
const { isOnline } = await backend<{ isOnline: boolean }>(`query ($token: ID!) { isOnline(token: $token) }`, {
  token: token.id,
});
assert.equal(isOnline, true);
console.log('ada is online.');

// channel.watch(): any token may subscribe itself to a PUBLIC channel
await frontend.execute(
  `mutation ($token: ID!) { subscribeToken(channel: "stream-lobby", token: $token) { createdAt } }`,
  { token: token.id },
);

// channel.sendMessage({ text }), by ada herself
await frontend.execute(
  `mutation { publishMessage(channel: "stream-lobby", event: "message.new", data: { text: "hello" }) { message { id } } }`,
);
const { message } = await frontend.waitFor('message.new');
assert.deepEqual(message?.data, { text: 'hello' });
console.log(`${message.sender.identity ?? ''} published:`, message.data);

// backend: sendUserCustomEvent('ada', event), on all of her devices
await backend(
  `mutation { publishDirectMessage(identity: "ada", event: "stream.notice", data: "for ada alone") { connections } }`,
);
console.log('Directly:', (await frontend.waitFor('stream.notice')).message?.data);

// Stream’s error 40: the token expires (4403), the provider is called again, and events resume where they stopped.
console.log('The token ended:', (await frontend.waitFor('Disconnecting')).reason);
await frontend.waitFor('Connected');
const missed = await frontend.waitFor('message.new');
assert.deepEqual(missed.message?.data, { text: 'published while ada was away' });
console.log('Resumed:', missed.message.data);

// The stream continues.
await publish('welcome back');
assert.deepEqual((await frontend.waitFor('message.new')).message?.data, { text: 'welcome back' });
console.log('Still receiving, with token', tokens);
frontend.close();
