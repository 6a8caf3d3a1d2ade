import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { SignJWT } from 'jose';
import { apiKey, backend, createOnce } from './client/backend.ts';
import { connect } from './client/frontend.ts';

/** Without a vendor: your backend signs credentials itself with its API key and makes no API call. */

await createOnce(`mutation { createChannel(input: { id: "signalbox-news" }) { id } }`);

// `channels` subscribes the token; `grants` narrow its role. The secret is derived from the key.
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
    .sign(createHmac('sha256', apiKey).update('signalbox credential').digest());

// The token record is created now, at the first use; later credentials for `ada` have the same record.
const frontend = connect(() => sign('1 minute'));
const { token, channels } = await frontend.waitFor('Connected');
assert(token);
console.log(
  'ada is subscribed to',
  channels?.map(({ id }) => id),
);

// The expiry is announced: renew the credential on the same socket.
await frontend.waitFor('TokenExpiring');
const { reauthenticate } = await frontend.execute<{
  reauthenticate: { token: { expiresAt: string }; allowedActions: string[] };
}>(
  `mutation ($credential: String!) {
    reauthenticate(credential: $credential) { token { expiresAt } allowedActions(channel: "signalbox-news") }
  }`,
  { credential: await sign('1 hour') },
);
assert(Date.parse(reauthenticate.token.expiresAt) > Date.now() + 60_000);
console.log('Renewed; ada may', reauthenticate.allowedActions);

// A token whose credential was signed elsewhere has an address, presence and an expiry, like any other.
await backend(
  `mutation { publishMessage(channel: "signalbox-news", event: "headline", data: "rain") { connections } }`,
);
console.log('ada received:', (await frontend.waitFor('headline')).message?.data);
await backend(
  `mutation ($token: ID!) { publishDirectMessage(token: $token, event: "hint", data: "umbrella") { connections } }`,
  { token: token.id },
);
console.log('Directly:', (await frontend.waitFor('hint')).message?.data);
const { isOnline } = await backend<{ isOnline: boolean }>(`query ($token: ID!) { isOnline(token: $token) }`, {
  token: token.id,
});
assert.equal(isOnline, true);
console.log('ada is online.');
frontend.close();
