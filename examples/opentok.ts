import assert from 'node:assert/strict';
import OpenTok from 'opentok';
import { backend, once, refusalOf } from './client/backend.ts';
import { connect } from './client/frontend.ts';

/** What a team knows from OpenTok: tokens for one session, with a role and connection data; signals; moderation. */

const [KEY, SECRET] = ['4711', 'the API secret of your OpenTok project'];

// Once: Signalbox learns the secret with which your backend signs. Your code that mints stays as it is.
await once(`mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }`, {
  input: { kind: 'OPENTOK', key: { id: KEY, secret: SECRET } },
});
// Publishers of OpenTok signal each other; in Signalbox that is a setting.
await backend(`mutation { updateProject(settings: { publishersSignal: true }) { id } }`);

// opentok.createSession() asks the vendor; here an id of that form will do. The channel is made at first use.
const session = `2_${Buffer.from(`1~${KEY}~~example~0.5~`).toString('base64url')}`;
const opentok = new OpenTok(KEY, SECRET);
const mint = (role: string) => opentok.generateToken(session, { role, data: `name=${role}` });
// Tokens of old SDKs, T1==…, are as good. This one ends in four seconds, so that the example needs no patience.
const expireTime = Math.floor(Date.now() / 1000) + 4;
const t1 = opentok.generateToken(session, { role: 'subscriber', expireTime }, true);

// OT.initSession(key, sessionId).connect(token)
let fetched = 0;
const subscriber = connect(() => ((fetched += 1) === 1 ? t1 : mint('subscriber')));
const publisher = connect(() => mint('publisher'));
const moderator = connect(() => mint('moderator'));
for (const one of [subscriber, publisher, moderator]) await one.hear('Connected');
console.log('Three are in the session.');

// session.signal({ type, data }) to all; whoever hears it sees the connection data
const signal = `mutation ($session: ID!, $text: JSON) {
  publishMessage(channel: $session, event: "chat", data: $text) { connections }
}`;
await publisher.ask(signal, { session, text: 'hello' });
const { message } = await subscriber.hear('chat');
assert.equal(message?.sender.connectionData, 'name=publisher');
console.log('The subscriber heard:', message.data, 'from', message.sender.connectionData);
assert.equal(await refusalOf(subscriber.ask(signal, { session, text: 'me too' })), 'FORBIDDEN');
console.log('It may not signal itself.');

// session.on('connectionCreated', …): who is there, by connection data
const { channel } = await moderator.ask<{ channel: { presence: { members: { nodes: Member[] } } } }>(
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
await moderator.ask(
  `mutation ($to: ID!, $session: ID!) {
    publishDirectMessage(connection: $to, channel: $session, event: "warning", data: "quiet please") { connections }
  }`,
  { to: target.id, session },
);
console.log('The publisher alone heard:', (await publisher.hear('warning')).message?.data);

// session.forceMuteStream(stream); here it is speaking that is taken away
await moderator.ask(
  `mutation ($token: ID!, $session: ID!) {
    mute(token: $token, channel: $session, reason: "too loud") { createdAt }
  }`,
  { token: target.token, session },
);
console.log('It was muted:', (await publisher.hear('Restricted')).restriction?.reason);
assert.equal(await refusalOf(publisher.ask(signal, { session, text: 'but' })), 'FORBIDDEN');

// session.forceDisconnect(connection)
await moderator.ask(
  `mutation ($connection: ID!, $session: ID!) {
    disconnect(connection: $connection, channel: $session, reason: "enough")
  }`,
  { connection: target.id, session },
);
console.log('It was disconnected:', (await publisher.hear('Disconnecting')).note);

// Expiry: close code 4403, and the next token is fetched. It is another client, and hears what is said from then on.
console.log('The subscriber’s token ends:', (await subscriber.hear('Disconnecting')).reason);
await subscriber.hear('Connected');
await moderator.ask(signal, { session, text: 'welcome back' });
console.log('With the next token it heard:', (await subscriber.hear('chat')).message?.data);
for (const one of [subscriber, publisher, moderator]) one.close();
