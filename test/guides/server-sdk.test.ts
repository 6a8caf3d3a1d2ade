import { expect, test } from 'vitest';
import { createScripts, namedBlock } from '../support/code-blocks.ts';
import { API_KEY, startService } from '../support/service.ts';

const GUIDE = 'docs/guides/server-sdk.md';

test('backend.mjs, sign-in.mjs and import.mjs run with the built package, and their credentials open connections', async () => {
  await using service = await startService();
  using scripts = createScripts();
  const env = { SIGNALBOX_API_KEY: API_KEY, SIGNALBOX_URL: service.url };
  for (const name of ['backend.mjs', 'sign-in.mjs', 'import.mjs'])
    scripts.write(name, namedBlock(GUIDE, name));

  await using backend = scripts.start('backend.mjs', [], env);
  expect(await backend.next()).toEqual({ credential: expect.any(String), cursor: expect.any(String) });
  expect(await backend.next()).toEqual({ mine: true, isOnline: false, events: ['message'] });
  await expect(backend.next()).rejects.toThrow('ended');

  await using signIn = scripts.start('sign-in.mjs', [], env);
  const { credential } = await signIn.next();
  const { viewer } = await service.request(
    `{ viewer { token { identity role revokedAt } channels { nodes { id } } } }`,
    {},
    credential,
  );
  expect(viewer).toEqual({
    token: { identity: 'ada', role: 'SUBSCRIBER', revokedAt: null },
    channels: { nodes: [{ id: 'lobby' }] },
  });
  const { token } = await service.request(
    `{ token: tokens(identity: "ada") { nodes { revokedAt origin } } }`,
  );
  expect(token.nodes).toContainEqual({ revokedAt: expect.any(String), origin: 'MINTED' });
  const { channel } = await service.request(`{ channel(id: "lobby") { state } }`);
  expect(channel.state).toEqual({ topic: 'signals' });

  await using importer = scripts.start('import.mjs', [], env);
  expect(await importer.next()).toEqual({ index: 250, code: 'NOT_FOUND' });
  await expect(importer.next()).rejects.toThrow('ended');
  const { rows } = await service.request(
    `{ rows: channel(id: "lobby") { messages(last: 2) { nodes { data } } } }`,
  );
  expect(rows.messages.nodes).toEqual([{ data: { row: 248 } }, { data: { row: 249 } }]);
});
