import { expect, test } from 'vitest';
import { type Runtime, type SignalboxError } from '../src/index.ts';
import { connectClient, eventually } from './support/client.ts';
import { startScriptedService } from './support/scripted-service.ts';

const OFFLINE = { url: 'http://127.0.0.1:1', credential: 'anonymous' } as const;

test('a call without a connection ends with OFFLINE after its time limit, and leaves nothing behind', async () => {
  const timers = new Set<unknown>();
  const runtime: Partial<Runtime> = {
    setTimer(action, ms) {
      const timer = setTimeout(() => (timers.delete(timer), action()), ms === 100_000 ? 1 : ms);
      // Only the limits of the calls: the client goes on to reconnect.
      if (ms >= 100_000) timers.add(timer);
      return timer;
    },
    clearTimer(timer) {
      timers.delete(timer);
      clearTimeout(timer as NodeJS.Timeout);
    },
  };
  await using client = connectClient({ ...OFFLINE, runtime });
  const call = client.graphql('{ viewer { kind } }', {}, { timeoutMs: 100_000 });
  await expect(call).rejects.toMatchObject({ code: 'OFFLINE', retryable: true });
  const service = await startScriptedService(({ payload, id }, { answer }) => {
    if (payload?.query !== '{ viewer { kind } }') return false;
    answer(id, { viewer: { kind: 'ANONYMOUS' } });
    return true;
  });
  await using online = connectClient({ url: service.url, credential: 'anonymous', runtime });
  expect(await online.graphql('{ viewer { kind } }', {}, { timeoutMs: 200_000 })).toEqual({
    viewer: { kind: 'ANONYMOUS' },
  });
  expect(timers.size).toBe(0);
});

test('waits 30 s for a connection unless the call says otherwise', async () => {
  const limits: number[] = [];
  const setTimer: Runtime['setTimer'] = (action, ms) => (limits.push(ms), setTimeout(action, ms));
  await using client = connectClient({ ...OFFLINE, runtime: { setTimer } });
  client.connect();
  limits.length = 0;
  client.graphql('{ viewer { kind } }').catch(() => undefined);
  expect(limits).toEqual([30_000]);
});

test('refuses the call after 1,000 that wait for a connection, and ends all of them when it is closed', async () => {
  await using client = connectClient(OFFLINE);
  const codes: string[] = [];
  const read = () =>
    client
      .graphql('{ viewer { kind } }')
      .catch((error: unknown) => codes.push((error as SignalboxError).code));
  const waiting = Array.from({ length: 1_000 }, read);
  await read();
  expect(codes).toEqual(['OFFLINE']);
  await client.close();
  await Promise.all(waiting);
  expect(codes.slice(1)).toEqual(Array(1_000).fill('ENDED'));
});

test('a call whose signal is aborted rejects with its reason, before and after it is sent', async () => {
  const reason = new Error('The user left.');
  await using offline = connectClient(OFFLINE);
  const waiting = new AbortController();
  const call = offline.graphql('{ viewer { kind } }', {}, { signal: waiting.signal });
  waiting.abort(reason);
  await expect(call).rejects.toBe(reason);
  await expect(offline.graphql('{ a }', {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

  const service = await startScriptedService(({ payload }) => payload?.query === '{ slow }');
  await using client = connectClient({ url: service.url, credential: 'anonymous' });
  const sent = new AbortController();
  const slow = client.graphql('{ slow }', {}, { signal: sent.signal });
  const isSlow = ({ payload }: { payload: any }) => payload?.query === '{ slow }';
  const request = await eventually(() => service.requests.find(isSlow));
  sent.abort(reason);
  await expect(slow).rejects.toBe(reason);
  const late = client.graphql('{ never sent }', {}, { signal: sent.signal });
  await expect(late).rejects.toBe(reason);
  await eventually(() => service.requests.some(({ type, id }) => type === 'complete' && id === request.id));
  await client.channel('lobby').publish('message', { text: 'still connected' });
  expect(service.connections).toBe(1);
  expect(service.requests.filter(({ payload }) => payload?.query === '{ never sent }')).toEqual([]);
});
