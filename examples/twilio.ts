import assert from 'node:assert/strict';
import twilio from 'twilio';
import { backend, connect, next, once, reached, shown } from './support.ts';

/** The calls that a team knows from Twilio Sync: access tokens with a grant, renewed in place shortly before they expire. */

const [ACCOUNT = '', KEY = '', SERVICE = ''] = ['AC', 'SK', 'IS'].map((kind) => kind.padEnd(34, '0'));
const SECRET = 'the secret of your Twilio API key';

// Once: register the API key with which your backend signs. Your code that creates tokens stays as it is.
const key = { id: KEY, secret: SECRET };
await once(backend.issuers.create({ kind: 'TWILIO', account: ACCOUNT, service: SERVICE, key }));
await once(backend.channels.create({ id: 'twilio-doc' }));
await backend.channels.setState('twilio-doc', { done: false });

// Your backend’s route for tokens.
function accessToken(identity: string, ttl: number): string {
  const token = new twilio.jwt.AccessToken(ACCOUNT, KEY, SECRET, { identity, ttl });
  token.addGrant(new twilio.jwt.AccessToken.SyncGrant({ serviceSid: SERVICE }));
  return token.toJwt();
}

// new SyncClient(token), in two tabs. The first one has a function in place of tokenAboutToExpire and updateToken(token).
const tab = connect((reason) => accessToken('ada', reason === 'start' ? 3 : 3600));
const idle = connect(accessToken('ada', 3));
const renewing = reached(tab, 'renewing');
await Promise.all([reached(tab, 'connected'), reached(idle, 'connected')]);
console.log('ada is connected.');

interface Viewer {
  viewer: { token: { id: string }; connection: { id: string } };
}
const readViewer = () => tab.graphql<Viewer>(`{ viewer { token { id } connection { id } } }`);
const { viewer } = await readViewer();
await renewing;
await reached(tab, 'connected');
assert.deepEqual(await readViewer(), { viewer });
console.log('Renewed on the same connection.');

// client.on('tokenExpired', …), in the tab that does not renew
console.log('The idle tab was disconnected:', await reached(idle, 'ended').then(({ error }) => error?.code));

// A document is the state of a channel; subscribed tokens can read it.
await backend.channels.subscribeToken('twilio-doc', viewer.token.id);
// document.update({ done: true }); document.on('updated', …), after the first token expired
const document = tab.channel('twilio-doc');
const { version } = await backend.channels.patchState('twilio-doc', { done: true });
const updated = await shown(document, (snapshot) => snapshot.version === version);
assert.deepEqual(updated.state, { done: true });
console.log('The document is now:', updated.state);

// stream.publishMessage(data); stream.on('messagePublished', …)
const typing = next(document, 'typing');
await document.publish('typing', null, { ephemeral: true });
console.log(`${(await typing).sender.identity ?? ''} is typing.`);

// To every device of an identity; with Sync, a document per identity
const notice = next(tab.direct, 'twilio.notice');
await backend.publishDirectMessage({ identity: 'ada' }, 'twilio.notice', 'for ada');
console.log('Directly:', (await notice).data);

assert(await backend.tokens.isOnline({ identity: 'ada' }));
console.log('ada is still online.');
await tab.close();
