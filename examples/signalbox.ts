import assert from 'node:assert/strict';
import { SignJWT } from 'jose';
import { apiKey, backend, once } from './client/backend.ts';
import { connect } from './client/frontend.ts';

/** Without a vendor: your backend signs credentials itself with its API key, and calls nobody. */

await once(`mutation { createChannel(input: { id: "signalbox-news" }) { id } }`);

// `channels` subscribes the bearer; `grants` narrow its role. The secret is the whole text of the key.
const sign = (lifetime: string) =>
  new SignJWT({
    role: 'PUBLISHER',
    channels: ['signalbox-news'],
    grants: [{ channels: 'signalbox-news', actions: ['SUBSCRIBE', 'PRESENCE'] }],
    data: 'shown to others',
  })
    .setProtectedHeader({ alg: 'HS256', kid: apiKey.split('.')[0] ?? '' })
    .setSubject('ada')
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(new TextEncoder().encode(apiKey));

// Its record is made now, at the first use; whoever is named `ada` by this key later has the same one.
const frontend = connect(() => sign('1 minute'));
const { token, channels } = await frontend.hear('Connected');
assert(token);
console.log(
  'ada hears',
  channels?.map(({ id }) => id),
);

// The end is told beforehand: renew in place.
await frontend.hear('TokenExpiring');
const { reauthenticate } = await frontend.ask<{
  reauthenticate: { token: { expiresAt: string }; allowedActions: string[] };
}>(
  `mutation ($credential: String!) {
    reauthenticate(credential: $credential) { token { expiresAt } allowedActions(channel: "signalbox-news") }
  }`,
  { credential: await sign('1 hour') },
);
assert(Date.parse(reauthenticate.token.expiresAt) > Date.now() + 60_000);
console.log('Renewed; ada may', reauthenticate.allowedActions);

// What is minted elsewhere has everything that a minted token has: an address, presence, an end.
await backend(
  `mutation { publishMessage(channel: "signalbox-news", event: "headline", data: "rain") { connections } }`,
);
console.log('ada heard:', (await frontend.hear('headline')).message?.data);
await backend(
  `mutation ($token: ID!) { publishDirectMessage(token: $token, event: "hint", data: "umbrella") { connections } }`,
  { token: token.id },
);
console.log('Directly:', (await frontend.hear('hint')).message?.data);
const { isOnline } = await backend<{ isOnline: boolean }>(`query ($token: ID!) { isOnline(token: $token) }`, {
  token: token.id,
});
assert.equal(isOnline, true);
console.log('ada is online.');
frontend.close();
