import { expect, test } from 'vitest';
import { createChannel, mint, updateToken } from '../support/backend.ts';
import { take } from '../support/events.ts';
import { startService } from '../support/service.ts';

test('whoever may not list tokens is told the same whether any is online or not', async () => {
  await using signalbox = await startService();
  const ask = (after: string) =>
    signalbox.ask(
      `query ($a: String) { tokens(online: true, after: $a) { nodes { id } } }`,
      { a: after },
      null,
    );
  const ada = await mint(signalbox);
  await take(signalbox.client({ token: ada.credential }), `subscription { events { __typename } }`).next();
  const [before, behind] = ['token_0', 'token_z'].map((id) => Buffer.from(id).toString('base64url'));
  expect((await ask(before!)).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  expect(await ask(behind!)).toEqual(await ask(before!));
});

test('what was taken from a token is not to be had by another way round', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  await updateToken(signalbox, ada.id, { grants: [] });
  await signalbox.request(`mutation { setChannelState(channel: "lobby", state: "after") { id } }`);
  const { viewer } = await signalbox.request(
    `{ viewer { channels { nodes { state } } } }`,
    {},
    ada.credential,
  );
  expect(viewer.channels.nodes).toEqual([]);
  const { unsubscribeToken } = await signalbox.request(
    `mutation ($t: ID!) { unsubscribeToken(channel: "lobby", token: $t) { createdAt channel { state } } }`,
    { t: ada.id },
    ada.credential,
  );
  expect(unsubscribeToken).toEqual({ createdAt: expect.any(String), channel: null });
});

test('a key that ended while a connection was being opened with it opens nothing', async () => {
  await using signalbox = await startService();
  const { createApiKey } = await signalbox.request(`mutation { createApiKey { secret apiKey { id } } }`);
  const { domain } = signalbox.service;
  const caller = await domain.authenticate.apiKey(createApiKey.secret);
  await domain.apiKeys.revoke('default', createApiKey.apiKey.id);
  await expect(
    domain.connections.open(() => domain.authenticate.refresh(caller), 'WEBSOCKET'),
  ).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(domain.connections.count).toBe(0);
});
