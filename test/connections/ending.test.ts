import { expect, test } from 'vitest';
import { closeAll } from '../../src/connections/close-all.ts';
import { isOnline, mint, updateToken } from '../support/backend.ts';
import { startService, type TestService } from '../support/service.ts';

async function open({ service: { domain } }: TestService, credential: string) {
  const caller = await domain.authenticate.credential(credential);
  return domain.connections.open(() => Promise.resolve(caller), 'WEBSOCKET');
}

const fail = (error: unknown) => expect.unreachable(String(error));

test('closeAll notifies every client before it cleans up the first connection', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  const connections = [await open(signalbox, credential), await open(signalbox, credential)];
  const calls: string[] = [];
  connections.forEach((connection, index) => {
    connection.onClose(() => calls.push(`cleaned up ${index}`));
    connection.setNotifyPeer(() => calls.push(`notified ${index}`));
  });
  void closeAll(connections, 'TOKEN_REVOKED', fail);
  void closeAll(connections, 'DRAINING', fail);
  expect(calls).toEqual(['notified 0', 'notified 1', 'cleaned up 0', 'cleaned up 1']);
});

test('setNotifyPeer calls its function at once when the connection is already closed', async () => {
  await using signalbox = await startService();
  const connection = await open(signalbox, (await mint(signalbox)).credential);
  connection.close('TOKEN_REVOKED');
  const reasons: string[] = [];
  connection.setNotifyPeer((reason) => reasons.push(reason));
  expect(reasons).toEqual(['TOKEN_REVOKED']);
});

test('a connection that closes while its token is updated does not stay online', async () => {
  await using signalbox = await startService();
  const token = await mint(signalbox);
  const connection = await open(signalbox, token.credential);
  expect(await isOnline(signalbox, token.id)).toBe(true);
  connection.add({
    // A stream does this when its queue overflows.
    progress: () => undefined,
    reauthorize: () => connection.close('SLOW_CONSUMER'),
    discard: () => undefined,
    end: () => undefined,
  });
  await updateToken(signalbox, token.id, { role: 'SUBSCRIBER' });
  expect(connection.closed).toBe('SLOW_CONSUMER');
  expect(await isOnline(signalbox, token.id)).toBe(false);
});
