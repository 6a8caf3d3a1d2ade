import assert from 'node:assert/strict';
import { backend, connect, next, once, reached } from './support.ts';

/** Without a vendor: your backend signs credentials itself with its API key and makes no API call. */

await once(backend.channels.create({ id: 'signalbox-news' }));

// `channels` subscribes the token; `grants` narrow its role. The client asks again before the credential expires.
const frontend = connect((reason) =>
  backend.sign('ada', {
    channels: ['signalbox-news'],
    grants: [{ channels: 'signalbox-news', actions: ['SUBSCRIBE', 'PRESENCE'] }],
    connectionData: 'shown to others',
    expiresIn: reason === 'start' ? 4 : 3600,
  }),
);
const renewing = reached(frontend, 'renewing');

interface Answer {
  viewer: {
    token: { id: string; expiresAt: string };
    channels: { nodes: { id: string }[] };
    allowedActions: string[];
  };
}
const ask = async () =>
  (
    await frontend.graphql<Answer>(
      `{ viewer { token { id expiresAt } channels { nodes { id } } allowedActions(channel: "signalbox-news") } }`,
    )
  ).viewer;

// The token record is created now, at the first use; later credentials for `ada` have the same record.
const { token, channels } = await ask();
console.log(
  'ada is subscribed to',
  channels.nodes.map(({ id }) => id),
);

// The client renews the credential on the same socket.
await renewing;
await reached(frontend, 'connected');
const renewed = await ask();
assert(Date.parse(renewed.token.expiresAt) > Date.now() + 60_000);
console.log('Renewed; ada may', renewed.allowedActions);

// A token whose credential was signed elsewhere has an address, presence and an expiry, like any other.
const headline = next(frontend.channel('signalbox-news'), 'headline');
await backend.publishMessage('signalbox-news', 'headline', 'rain');
console.log('ada received:', (await headline).data);
const hint = next(frontend.direct, 'hint');
await backend.publishDirectMessage({ token: token.id }, 'hint', 'umbrella');
console.log('Directly:', (await hint).data);
assert(await backend.tokens.isOnline(token.id));
console.log('ada is online.');
await frontend.close();
