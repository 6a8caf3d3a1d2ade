import { expect, test } from 'vitest';
import { createChannel, mint, revokeToken } from '../support/backend.ts';
import { createLog, type Log } from '../support/log.ts';
import { startService } from '../support/service.ts';
import { openSocket, upgrade } from '../support/socket.ts';
import { askEachTransport } from '../support/transports.ts';

const refusals = ({ audited }: Log) => audited().filter(({ action }) => action === 'refused');

test.each([
  { field: 'createToken', query: 'mutation { createToken { credential } }' },
  {
    field: 'publishMessage',
    query: 'mutation { a: publishMessage(channel: "news", event: "e") { connections } }',
  },
  { field: 'messages', query: 'subscription { messages(channel: "news") { id } }' },
  { field: 'presence', query: 'subscription { presence(channel: "nowhere") { at } }' },
])('audits a refused $field once for each transport', async ({ field, query }) => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  await createChannel(signalbox, 'news');
  const { id, credential } = await mint(signalbox);
  for (const answer of Object.values(await askEachTransport(signalbox, credential, { query }))) {
    expect(answer.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
  const entry = { action: 'refused', projectId: 'default', actor: id, code: 'FORBIDDEN', field };
  expect(refusals(log)).toEqual([entry, entry, entry]);
});

test('audits a refusal before authentication as anonymous', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  const { id, credential } = await mint(signalbox);
  await revokeToken(signalbox, id);
  await signalbox.ask('{ viewer { kind } }', {}, credential);
  await signalbox.ask('{ viewer { kind } }', {}, 'x.y.z');
  for (const payload of [{ token: credential }, { apiKey: 'key_x.0123456789abcdef' }]) {
    using socket = await openSocket(signalbox);
    socket.send({ type: 'connection_init', payload });
    await socket.closed;
  }
  const headers = { origin: 'https://evil.example' };
  await upgrade(signalbox, { headers });
  await fetch(`${signalbox.url}/graphql`, { headers });
  expect(refusals(log)).toEqual(
    ['TOKEN_REVOKED', 'UNAUTHENTICATED', 'TOKEN_REVOKED', 'UNAUTHENTICATED', 'FORBIDDEN', 'FORBIDDEN'].map(
      (code) => ({
        action: 'refused',
        actor: 'anonymous',
        code,
        message: expect.stringMatching(/\.$/) as string,
      }),
    ),
  );
});

test('does not audit mistakes of a client', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  for (const query of [
    '{',
    '{ nothing }',
    '{ tokens(first: 0) { nodes { id } } }',
    '{ channel(id: "none") { id } }',
  ]) {
    expect((await signalbox.ask(query)).errors).toHaveLength(1);
  }
  expect(refusals(log)).toEqual([]);
});

test('does not log the channel id when a token unsubscribes from a channel that it never joined', async () => {
  const log = createLog();
  await using signalbox = await startService({}, { logger: log.logger });
  const { id, credential } = await mint(signalbox);
  const unsubscribe =
    'mutation ($c: ID!, $t: ID!) { unsubscribeToken(channel: $c, token: $t) { createdAt } }';
  const unknownChannel = 'made-up-'.repeat(1000);
  expect(await signalbox.request(unsubscribe, { c: unknownChannel, t: id }, credential)).toEqual({
    unsubscribeToken: null,
  });
  expect(log.lines.join()).not.toContain('made-up');
});
