import { expect, test } from 'vitest';
import { startProcess } from '../support/process.ts';

test('after SIGTERM /ready is 503 for new connections while requests are still answered, then the process exits', async () => {
  await using service = await startProcess({ env: { SIGNALBOX_DRAIN_DELAY_MS: '3000' } });
  const ask = async (path: string) =>
    (await fetch(`${service.url}${path}`, { headers: { connection: 'close' } })).status;
  expect(await ask('/ready')).toBe(200);
  service.kill('SIGTERM');
  while ((await ask('/ready')) === 200);
  expect(await ask('/ready')).toBe(503);
  expect(await ask('/health')).toBe(200);
  await service.request('mutation { createToken { credential } }');
  expect(await service.exited).toBe(0);
});
