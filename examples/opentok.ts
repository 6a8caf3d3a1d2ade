import assert from 'node:assert/strict';
import OpenTok from 'opentok';
import { backend, createOnce, errorCodeOf } from './client/backend.ts';
import { connect } from './client/frontend.ts';

/** The calls that a team knows from OpenTok: tokens for one session with a role and connection data; signals; moderation. */

const [KEY, SECRET] = ['4711', 'the API secret of your OpenTok project'];

// Once: register the secret with which your backend signs. Your code that generates tokens stays as it is.
await createOnce(`mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }`, {
  input: { kind: 'OPENTOK', key: { id: KEY, secret: SECRET } },
});
// In OpenTok, publishers signal each other; in Signalbox that is a setting of the project.
await backend(`mutation { updateProject(settings: { publishersSignal: true }) { id } }`);

// opentok.createSession() calls the vendor; here an id of that form is enough. The channel is created at the first use.
const session = `2_${Buffer.from(`1~${KEY}~~example~0.5~`).toString('base64url')}`;
const opentok = new OpenTok(KEY, SECRET);
const generateToken = (role: string) => opentok.generateToken(session, { role, data: `name=${role}` });
// Tokens of old SDKs, T1==…, are accepted too. This one expires in four seconds, to keep the example short.
const expireTime = Math.floor(Date.now() / 1000) + 4;
const t1 = opentok.generateToken(session, { role: 'subscriber', expireTime }, true);

// OT.initSession(key, sessionId).connect(token)
let fetched = 0;
const subscriber = connect(() => ((fetched += 1) === 1 ? t1 : generateToken('subscriber')));
const publisher = connect(() => generateToken('publisher'));
const moderator = connect(() => generateToken('moderator'));
for (const one of [subscriber, publisher, moderator]) await one.waitFor('Connected');
console.log('Three clients are in the session.');

// session.signal({ type, data }) to all; receivers see the connection data of the sender
const signal = `mutation ($session: ID!, $text: JSON) {
  publishMessage(channel: $session, event: "chat", data: $text) { connections }
}`;
await publisher.execute(signal, { session, text: 'hello' });
const { message } = await subscriber.waitFor('chat');
assert.equal(message?.sender.connectionData, 'name=publisher');
console.log('The subscriber received:', message.data, 'from', message.sender.connectionData);
assert.equal(await errorCodeOf(subscriber.execute(signal, { session, text: 'me too' })), 'FORBIDDEN');
console.log('The subscriber may not signal.');

// session.on('connectionCreated', …): find a connection by its connection data
const { channel } = await moderator.execute<{ channel: { presence: { members: { nodes: Member[] } } } }>(
  `query ($session: ID!) {
    channel(id: $session) { presence { members { nodes { id token connectionData } } } }
  }`,
  { session },
);
interface Member {
  id: string;
  token: string;
  connectionData: string | null;
}
const target = channel.presence.members.nodes.find(
  ({ connectionData }) => connectionData === 'name=publisher',
);
assert(target);

// session.signal({ to: connection, type, data })
await moderator.execute(
  `mutation ($to: ID!, $session: ID!) {
    publishDirectMessage(connection: $to, channel: $session, event: "warning", data: "quiet please") { connections }
  }`,
  { to: target.id, session },
);
console.log('The publisher alone received:', (await publisher.waitFor('warning')).message?.data);

// session.forceMuteStream(stream); here the mute takes PUBLISH away
await moderator.execute(
  `mutation ($token: ID!, $session: ID!) {
    mute(token: $token, channel: $session, reason: "too loud") { createdAt }
  }`,
  { token: target.token, session },
);
console.log('The publisher was muted:', (await publisher.waitFor('Restricted')).restriction?.reason);
assert.equal(await errorCodeOf(publisher.execute(signal, { session, text: 'but' })), 'FORBIDDEN');

// session.forceDisconnect(connection)
await moderator.execute(
  `mutation ($connection: ID!, $session: ID!) {
    disconnect(connection: $connection, channel: $session, reason: "enough")
  }`,
  { connection: target.id, session },
);
console.log('The publisher was disconnected:', (await publisher.waitFor('Disconnecting')).note);

// Expiry: close code 4403, and the next token is fetched. It is another client, which receives messages from then on.
console.log('The subscriber’s token ended:', (await subscriber.waitFor('Disconnecting')).reason);
await subscriber.waitFor('Connected');
await moderator.execute(signal, { session, text: 'welcome back' });
console.log('Received with the next token:', (await subscriber.waitFor('chat')).message?.data);
for (const one of [subscriber, publisher, moderator]) one.close();
