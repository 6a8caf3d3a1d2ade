import { expect, test } from 'vitest';
import { closeAll } from '../../src/connections/connection.ts';
import { isOnline, mint, updateToken } from '../support/backend.ts';
import { startService, type TestService } from '../support/service.ts';

async function open({ service: { domain } }: TestService, credential: string) {
  const caller = await domain.authenticate.credential(credential);
  return domain.connections.open(() => Promise.resolve(caller), 'WEBSOCKET');
}

test('of many that end together every peer is told before the first is tidied up after', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  const all = [await open(signalbox, credential), await open(signalbox, credential)];
  const told: string[] = [];
  all.forEach((connection, index) => {
    connection.onClose(() => told.push(`tidied up after ${index}`));
    connection.onNotifyPeer(() => told.push(`told ${index}`));
  });
  closeAll(all, 'TOKEN_REVOKED');
  closeAll(all, 'DRAINING');
  expect(told).toEqual(['told 0', 'told 1', 'tidied up after 0', 'tidied up after 1']);
});

test('a peer that comes too late to be told of the end is told at once', async () => {
  await using signalbox = await startService();
  const connection = await open(signalbox, (await mint(signalbox)).credential);
  connection.close('TOKEN_REVOKED');
  const told: string[] = [];
  connection.onNotifyPeer((reason) => told.push(reason));
  expect(told).toEqual(['TOKEN_REVOKED']);
});

test('a connection that ends while it is told of its token does not stay online', async () => {
  await using signalbox = await startService();
  const token = await mint(signalbox);
  const connection = await open(signalbox, token.credential);
  expect(await isOnline(signalbox, token.id)).toBe(true);
  connection.add({
    // As a queue does that cannot take it.
    reauthorize: () => connection.close('SLOW_CONSUMER'),
    discard: () => undefined,
    end: () => undefined,
  });
  await updateToken(signalbox, token.id, { role: 'SUBSCRIBER' });
  expect(connection.closed).toBe('SLOW_CONSUMER');
  expect(await isOnline(signalbox, token.id)).toBe(false);
});
