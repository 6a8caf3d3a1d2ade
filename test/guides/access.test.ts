import { execFileSync, spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { createChannel, publish } from '../support/backend.ts';
import { blockWith, createScripts, DOCUMENTED_ADDRESS, namedBlock } from '../support/code-blocks.ts';
import { API_KEY, startService } from '../support/service.ts';

const GUIDE = 'docs/guides/access-and-roles.md';

test('sign.mjs signs a credential that opens a connection and subscribes its token', async () => {
  await using service = await startService();
  await createChannel(service, 'news');
  using scripts = createScripts();
  scripts.write('sign.mjs', namedBlock(GUIDE, 'sign.mjs'));
  const credential = execFileSync(process.execPath, ['sign.mjs'], {
    cwd: scripts.path,
    env: { KEY: API_KEY },
    encoding: 'utf8',
  }).trim();
  const { viewer } = await service.request(
    `{ viewer { token { identity role expiresAt } channels { nodes { id } } } }`,
    {},
    credential,
  );
  expect(viewer).toEqual({
    token: { identity: 'ada', role: 'SUBSCRIBER', expiresAt: expect.any(String) },
    channels: { nodes: [{ id: 'news' }] },
  });
});

test('curl receives an UNPROTECTED channel over SSE without a credential', async () => {
  await using service = await startService();
  await createChannel(service, 'square', { type: 'UNPROTECTED' });
  const command = blockWith(GUIDE, 'curl -N').replace(DOCUMENTED_ADDRESS, new URL(service.url).host);
  const curl = spawn('bash', ['-c', `exec ${command}`], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    while ((await publish(service, 'square', 'news')) === 0);
    let received = '';
    for await (const chunk of curl.stdout.setEncoding('utf8')) {
      received += String(chunk);
      if (received.includes('"news"')) break;
    }
    expect(received).toContain('event: next');
  } finally {
    curl.kill();
  }
});
