import assert from 'node:assert/strict';
import twilio from 'twilio';
import { backend, createOnce } from './client/backend.ts';
import { connect } from './client/frontend.ts';

/** The calls that a team knows from Twilio Sync: access tokens with a grant, renewed in place shortly before they expire. */

const [ACCOUNT, KEY, SERVICE] = ['AC', 'SK', 'IS'].map((kind) => kind.padEnd(34, '0')) as [
  string,
  string,
  string,
];
const SECRET = 'the secret of your Twilio API key';

// Once: register the API key with which your backend signs. Your code that creates tokens stays as it is.
await createOnce(`mutation ($input: CreateIssuerInput!) { createIssuer(input: $input) { id } }`, {
  input: { kind: 'TWILIO', account: ACCOUNT, service: SERVICE, key: { id: KEY, secret: SECRET } },
});
await createOnce(`mutation { createChannel(input: { id: "twilio-doc" }) { id } }`);
await backend(`mutation { setChannelState(channel: "twilio-doc", state: { done: false }) { version } }`);

// Your backend’s route for tokens.
function accessToken(identity: string, ttl: number): string {
  const token = new twilio.jwt.AccessToken(ACCOUNT, KEY, SECRET, { identity, ttl });
  token.addGrant(new twilio.jwt.AccessToken.SyncGrant({ serviceSid: SERVICE }));
  return token.toJwt();
}

// new SyncClient(token), in two tabs; the second one does not renew its token.
let jwt = accessToken('ada', 3);
const firstJwt = jwt;
const tab = connect(() => jwt);
const idle = connect(() => firstJwt);
const { token, connection } = await tab.waitFor('Connected');
await idle.waitFor('Connected');
assert(token && connection);
console.log('ada is connected.');

// client.on('tokenAboutToExpire', …) is fired three minutes before the expiry, so for this token at once.
await tab.waitFor('TokenExpiring');
// client.updateToken(token): the same socket continues
jwt = accessToken('ada', 3600);
const { reauthenticate } = await tab.execute<{ reauthenticate: { connection: { id: string } } }>(
  `mutation ($jwt: String!) { reauthenticate(credential: $jwt) { connection { id } } }`,
  { jwt },
);
assert.equal(reauthenticate.connection.id, connection.id);
console.log('Renewed on the same connection.');

// client.on('tokenExpired', …), in the tab that did not renew
console.log('The idle tab was disconnected:', (await idle.waitFor('Disconnecting')).reason);
idle.close();

// A document is the state of a channel; subscribed tokens can read it.
await backend(
  `mutation ($token: ID!) { subscribeToken(channel: "twilio-doc", token: $token) { createdAt } }`,
  { token: token.id },
);
// document.update({ done: true }); document.on('updated', …), after the first token expired
await backend(`mutation { patchChannelState(channel: "twilio-doc", patch: { done: true }) { version } }`);
const { channel } = await tab.waitFor('ChannelStateUpdated');
assert.deepEqual(channel?.state, { done: true });
console.log('The document is now:', channel.state);

// stream.publishMessage(data); stream.on('messagePublished', …)
await tab.execute(
  `mutation { publishMessage(channel: "twilio-doc", event: "typing", ephemeral: true) { connections } }`,
);
console.log(`${(await tab.waitFor('typing')).message?.sender.identity ?? ''} is typing.`);

// To every device of an identity; with Sync, a document per identity
await backend(
  `mutation { publishDirectMessage(identity: "ada", event: "twilio.notice", data: "for ada") { connections } }`,
);
console.log('Directly:', (await tab.waitFor('twilio.notice')).message?.data);

const { isOnline } = await backend<{ isOnline: boolean }>(`query ($token: ID!) { isOnline(token: $token) }`, {
  token: token.id,
});
assert.equal(isOnline, true);
console.log('ada is still online.');
tab.close();
