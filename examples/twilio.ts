import assert from 'node:assert/strict';
import twilio from 'twilio';
import { backend, once } from './client/backend.ts';
import { connect } from './client/frontend.ts';

/** What a team knows from Twilio Sync: access tokens with a grant, renewed in place shortly before they end. */

const [ACCOUNT, KEY, SERVICE] = ['AC', 'SK', 'IS'].map((kind) => kind.padEnd(34, '0')) as [
  string,
  string,
  string,
];
const SECRET = 'the secret of your Twilio API key';

// Once: Signalbox learns the API key with which your backend signs. Your code that mints stays as it is.
await once(`mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }`, {
  input: { kind: 'TWILIO', account: ACCOUNT, service: SERVICE, key: { id: KEY, secret: SECRET } },
});
await once(`mutation { createChannel(input: { id: "twilio-doc" }) { id } }`);
await backend(`mutation { setChannelState(channel: "twilio-doc", state: { done: false }) { version } }`);

// Your backend’s route for tokens.
function accessToken(identity: string, ttl: number): string {
  const token = new twilio.jwt.AccessToken(ACCOUNT, KEY, SECRET, { identity, ttl });
  token.addGrant(new twilio.jwt.AccessToken.SyncGrant({ serviceSid: SERVICE }));
  return token.toJwt();
}

// new SyncClient(token), in two tabs; the second one will not renew.
let jwt = accessToken('ada', 3);
const short = jwt;
const tab = connect(() => jwt);
const idle = connect(() => short);
const { token, connection } = await tab.hear('Connected');
await idle.hear('Connected');
assert(token && connection);
console.log('ada is connected.');

// client.on('tokenAboutToExpire', …) comes three minutes before, so for this token at once.
await tab.hear('TokenExpiring');
// client.updateToken(token): the same socket goes on
jwt = accessToken('ada', 3600);
const { reauthenticate } = await tab.ask<{ reauthenticate: { connection: { id: string } } }>(
  `mutation ($jwt: String!) { reauthenticate(credential: $jwt) { connection { id } } }`,
  { jwt },
);
assert.equal(reauthenticate.connection.id, connection.id);
console.log('Renewed on the same connection.');

// client.on('tokenExpired', …), where nothing was renewed
console.log('The idle tab ends:', (await idle.hear('Disconnecting')).reason);
idle.close();

// A document is the state of a channel; whoever is subscribed reads it.
await backend(
  `mutation ($token: ID!) { subscribeToken(channel: "twilio-doc", token: $token) { createdAt } }`,
  { token: token.id },
);
// document.update({ done: true }); document.on('updated', …), beyond the end of the first token
await backend(`mutation { patchChannelState(channel: "twilio-doc", patch: { done: true }) { version } }`);
const { channel } = await tab.hear('ChannelStateUpdated');
assert.deepEqual(channel?.state, { done: true });
console.log('The document is now:', channel.state);

// stream.publishMessage(data); stream.on('messagePublished', …)
await tab.ask(
  `mutation { publishMessage(channel: "twilio-doc", event: "typing", ephemeral: true) { connections } }`,
);
console.log(`${(await tab.hear('typing')).message?.sender.identity ?? ''} is typing.`);

// To every device of an identity, for which Sync takes a document per identity
await backend(
  `mutation { publishDirectMessage(identity: "ada", event: "twilio.notice", data: "for ada") { connections } }`,
);
console.log('Directly:', (await tab.hear('twilio.notice')).message?.data);

const { isOnline } = await backend<{ isOnline: boolean }>(`query ($token: ID!) { isOnline(token: $token) }`, {
  token: token.id,
});
assert.equal(isOnline, true);
console.log('ada is still online.');
tab.close();
