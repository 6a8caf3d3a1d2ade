import assert from 'node:assert/strict';
import OpenTok from 'opentok';
import { backend, codeOf, connect, next, nextEvent, once, reached, shown } from './support.ts';

/** The calls that a team knows from OpenTok: tokens for one session with a role and connection data; signals; moderation. */

const [KEY, SECRET] = ['4711', 'the API secret of your OpenTok project'];

// Once: register the secret with which your backend signs. Your code that generates tokens stays as it is.
await once(backend.issuers.create({ kind: 'OPENTOK', key: { id: KEY, secret: SECRET } }));
// In OpenTok, publishers signal each other; in Signalbox that is a setting of the project.
await backend.project.update({ publishersSignal: true });

// opentok.createSession() calls the vendor; here an id of that form is enough. The channel is created at the first use.
const session = `2_${Buffer.from(`1~${KEY}~~example~0.5~`).toString('base64url')}`;
const opentok = new OpenTok(KEY, SECRET);
const generateToken = (role: string) => opentok.generateToken(session, { role, data: `name=${role}` });
// Tokens of old SDKs, T1==…, are accepted too. This one expires in four seconds, to keep the example short.
const expireTime = Math.floor(Date.now() / 1000) + 4;
const t1 = opentok.generateToken(session, { role: 'subscriber', expireTime }, true);

// OT.initSession(key, sessionId).connect(token)
const subscriber = connect((reason) => (reason === 'start' ? t1 : generateToken('subscriber')));
const publisher = connect(() => generateToken('publisher'));
const moderator = connect(() => generateToken('moderator'));
const clients = [subscriber, publisher, moderator];
const expired = reached(subscriber, 'waiting');
await Promise.all(clients.map((client) => reached(client, 'connected')));
console.log('Three clients are in the session.');
const restricted = nextEvent<{ restriction: { reason: string } }>(
  publisher,
  'Restricted',
  'restriction { reason }',
);

// session.signal({ type, data }) to all; receivers see the connection data of the sender
const received = next(subscriber.channel(session), 'chat');
await publisher.channel(session).publish('chat', 'hello');
const { data, sender } = await received;
assert.equal(sender.connectionData, 'name=publisher');
console.log('The subscriber received:', data, 'from', sender.connectionData);
assert.equal(await codeOf(subscriber.channel(session).publish('chat', 'me too')), 'FORBIDDEN');
console.log('The subscriber may not signal.');

// session.on('connectionCreated', …): find a connection by its connection data
const find = ({ connectionData }: { connectionData: string | null }) => connectionData === 'name=publisher';
const { members } = await shown(moderator.channel(session), (snapshot) => snapshot.members.some(find));
const target = members.find(find)?.connections[0];
assert(target);
const variables = { session, connection: target.id, token: target.token };

// session.signal({ to: connection, type, data })
const warning = next(publisher.direct, 'warning');
await moderator.graphql(
  `mutation ($connection: ID!, $session: ID!) {
    publishDirectMessage(connection: $connection, channel: $session, event: "warning", data: "quiet please") { connections }
  }`,
  variables,
);
console.log('The publisher alone received:', (await warning).data);

// session.forceMuteStream(stream); here the mute takes PUBLISH away
await moderator.graphql(
  `mutation ($token: ID!, $session: ID!) {
    mute(token: $token, channel: $session, reason: "too loud") { createdAt }
  }`,
  variables,
);
console.log('The publisher was muted:', (await restricted).restriction.reason);
const disconnecting = nextEvent<{ note: string }>(publisher, 'Disconnecting', 'note');
assert.equal(await codeOf(publisher.channel(session).publish('chat', 'but')), 'FORBIDDEN');

// session.forceDisconnect(connection)
await moderator.graphql(
  `mutation ($connection: ID!, $session: ID!) {
    disconnect(connection: $connection, channel: $session, reason: "enough")
  }`,
  variables,
);
console.log('The publisher was disconnected:', (await disconnecting).note);

// Expiry: the next token is fetched. It is another client, which receives messages from then on.
console.log('The subscriber’s token ended:', (await expired).error?.code);
await reached(subscriber, 'connected');
const welcome = next(subscriber.channel(session), 'chat');
await moderator.channel(session).publish('chat', 'welcome back');
console.log('Received with the next token:', (await welcome).data);
await Promise.all(clients.map((client) => client.close()));
