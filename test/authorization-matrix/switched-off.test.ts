import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { startService } from '../support/service.ts';
import { connectSocket, openSocket } from '../support/socket.ts';
import { PLACES } from './callers.ts';
import { CALLS, hasPlace } from './calls.ts';
import { callByHttp, type Verdict } from './transports.ts';

const OPEN_TO_STRANGERS = new Set(['query viewer', 'subscription events']);
const OFF = new Set(['mutation createGuest', 'mutation createDevelopmentToken']);

test('in production, whoever presents nothing is refused all but its own reflection', async () => {
  await using signalbox = await startService({ mode: 'production', connectsPerSecond: 1e6 });
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const [expected, found]: Record<string, Verdict>[] = [{}, {}];
  for (const call of CALLS) {
    for (const place of hasPlace(call) ? PLACES : (['room'] as const)) {
      const title = `${call.type} ${call.title}, ${place}`;
      const name = `${call.type} ${call.field}`;
      if (OPEN_TO_STRANGERS.has(name)) expected![title] = null;
      else if (call.isLive) expected![title] = 'BAD_USER_INPUT';
      else expected![title] = OFF.has(name) ? 'FORBIDDEN' : 'UNAUTHENTICATED';
      // Whose ids they are makes no difference: it is told before anything is looked for.
      const args = JSON.parse(JSON.stringify(call.args).replaceAll('<place>', place)) as object;
      found![title] = await callByHttp(signalbox, { bearer: null }, call, args);
    }
  }
  expect(found).toEqual(expected);
  const { tokens } = await signalbox.request('{ tokens { nodes { id } } }');
  expect(tokens.nodes).toEqual([]);
});

test('what a project has switched off is refused to everyone, whatever they hold', async () => {
  await using signalbox = await startService({ mode: 'production' });
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const { credential } = await mint(signalbox, { role: 'MODERATOR', channels: ['room'] });
  using socket = await connectSocket(signalbox, { token: credential });
  const { viewer } = await signalbox.request('{ viewer { token { id } } }', {}, credential);
  const { token } = await signalbox.request(
    'query ($t: ID!) { token(id: $t) { connections { id } } }',
    { t: viewer.token.id },
    credential,
  );
  const connection = token.connections[0].id;
  for (const bearer of [signalbox.apiKey, credential, null]) {
    for (const query of [
      'mutation { createGuest { credential } }',
      'mutation { createDevelopmentToken(identity: "ada") }',
    ]) {
      expect((await signalbox.ask(query, {}, bearer)).errors).toMatchObject([
        { extensions: { code: 'FORBIDDEN' } },
      ]);
    }
  }
  const signal =
    'mutation ($c: ID!) { publishDirectMessage(connection: $c, channel: "room", event: "said") { connections } }';
  expect((await signalbox.ask(signal, { c: connection }, credential)).errors).toMatchObject([
    { extensions: { code: 'FORBIDDEN' } },
  ]);
  expect(socket.waiting).toEqual([]);
});

test('a development token is worth nothing where they are off, and nothing any more once they are', async () => {
  await using signalbox = await startService();
  const WHO = '{ viewer { token { identity } } }';
  const set = (developmentTokens: boolean) =>
    signalbox.request('mutation ($s: ProjectSettingsInput!) { updateProject(settings: $s) { id } }', {
      s: { developmentTokens },
    });
  await set(true);
  const { createDevelopmentToken: credential } = await signalbox.request(
    'mutation { createDevelopmentToken(identity: "ada") }',
  );
  expect(await signalbox.request(WHO, {}, credential)).toEqual({ viewer: { token: { identity: 'ada' } } });
  await set(false);
  expect((await signalbox.ask(WHO, {}, credential)).errors).toMatchObject([
    { extensions: { code: 'UNAUTHENTICATED' } },
  ]);
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { token: credential } });
  expect(await socket.closed).toEqual({ code: 4401, reason: 'UNAUTHENTICATED' });
});
