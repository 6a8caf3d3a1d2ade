import assert from 'node:assert/strict';
import { StreamChat } from 'stream-chat';
import { backend, connect, next, once, reached } from './support.ts';

/** The calls that a team knows from Stream Chat: the backend signs user tokens itself, without an API call. */

const [KEY, SECRET] = ['stream-example', 'the API secret of your Stream app'];

// Once: register the secret with which your backend signs. Your code that creates tokens stays as it is.
await once(backend.issuers.create({ kind: 'STREAM', key: { id: KEY, secret: SECRET } }));
await once(backend.channels.create({ id: 'stream-lobby', type: 'PUBLIC' }));
const publish = (text: string) => backend.publishMessage('stream-lobby', 'message.new', { text });

// Your backend’s route for tokens. The first token expires after three seconds, to keep the example short.
const stream = new StreamChat(KEY, SECRET);
let tokens = 0;
async function tokenProvider(reason: string): Promise<string> {
  // The client asks before the expiry already. Here the route is down until then: nothing is lost.
  if (reason === 'expiring') throw new Error('The backend does not answer.');
  tokens += 1;
  const now = Math.floor(Date.now() / 1000);
  console.log(`Token ${tokens} is fetched.`);
  // At the second call the client is disconnected: this message must not be lost.
  if (tokens > 1) await publish('published while ada was away');
  return stream.createToken('ada', tokens > 1 ? now + 3600 : now + 3, now);
}

// client.connectUser({ id: 'ada' }, tokenProvider): the user appears at the first connection
const client = connect(tokenProvider);
const expired = reached(client, 'waiting');
await reached(client, 'connected');
assert(await backend.tokens.isOnline({ identity: 'ada' }));
console.log('ada is online.');

// channel.watch(): any token may receive a PUBLIC channel; channel.sendMessage({ text }), by ada herself
const lobby = client.channel('stream-lobby');
const hello = next(lobby, 'message.new');
await lobby.publish('message.new', { text: 'hello' });
const { sender, data } = await hello;
assert.deepEqual(data, { text: 'hello' });
console.log(`${sender.identity ?? ''} published:`, data);

// backend: sendUserCustomEvent('ada', event), on all of her devices
const notice = next(client.direct, 'stream.notice');
await backend.publishDirectMessage({ identity: 'ada' }, 'stream.notice', 'for ada alone');
console.log('Directly:', (await notice).data);

// Stream’s error 40: the token expires, the provider is called again, and the channel resumes where it stopped.
const missed = next(lobby, 'message.new');
console.log('The token ended:', (await expired).error?.code);
assert.deepEqual((await missed).data, { text: 'published while ada was away' });
console.log('Resumed:', (await missed).data);

// The stream continues.
const welcome = next(lobby, 'message.new');
await publish('welcome back');
assert.deepEqual((await welcome).data, { text: 'welcome back' });
console.log('Still receiving, with token', tokens);
await client.close();
