import { closeSync, openSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createChannel, publish } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { startProcess } from '../support/process.ts';
import { numbers } from '../support/publish.ts';

/** Far fewer than SIGNALBOX_MAX_CONNECTIONS needs; an idle service uses about 30, and the start of Node opens many files at once. */
const DESCRIPTORS = 256;

/** Asks over one connection that stays open, as a load balancer does. */
function createProbe(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return async (path: string): Promise<{ status: number | undefined; text: string }> => {
    const request = get(`${url}${path}`, { agent });
    const [response] = await once(request, 'response');
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode, text };
  };
}

test('logs a warning, continues to publish and recovers when clients use all file descriptors', async () => {
  using folder = createFolder();
  const logFile = join(folder.path, 'log');
  const stdout = openSync(logFile, 'a');
  await using service = await startProcess({
    folder: join(folder.path, 'data'),
    descriptors: DESCRIPTORS,
    stdout,
    env: { SIGNALBOX_LOG_LEVEL: 'warn' },
  });
  closeSync(stdout);
  expect(service.stderr).toMatch(/may open 256 files and sockets.*which needs 50080/);
  await createChannel(service, 'room');
  const probe = createProbe(service.url);
  expect((await probe('/ready')).status).toBe(200);
  const port = Number(new URL(service.url).port);
  const sockets: Socket[] = numbers(400).map(() => connect(port).on('error', () => undefined));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await expect
    .poll(() => probe('/ready'))
    .toMatchObject({ status: 503, text: expect.stringMatching(/descriptors/) });
  // The kernel connects sockets before the service accepts or drops them.
  const droppedConnections = async () =>
    Number(/^signalbox_connections_dropped_total (\d+)$/m.exec((await probe('/metrics')).text)?.[1]);
  await expect.poll(droppedConnections).toBeGreaterThan(50);
  const metrics = (await probe('/metrics')).text;
  expect(metrics).toMatch(/^signalbox_file_descriptors_exhausted 1$/m);
  expect(Number(/^process_open_fds (\d+)$/m.exec(metrics)?.[1])).toBeLessThan(DESCRIPTORS);
  // A flood is one line of the log.
  const lines = () => readFileSync(logFile, 'utf8').match(/few file descriptors/g) ?? [];
  await expect.poll(lines).toHaveLength(1);
  sockets.forEach((socket) => socket.destroy());
  await expect.poll(() => probe('/ready')).toMatchObject({ status: 200 });
  await expect.poll(() => readFileSync(logFile, 'utf8')).toMatch(/enough file descriptors again/);
  expect((await probe('/metrics')).text).toMatch(/^signalbox_file_descriptors_exhausted 0$/m);
  expect(await publish(service, 'room', 'after')).toBe(0);
  expect(service.stderr).not.toMatch(/at .*:\d+:\d+/);
});
