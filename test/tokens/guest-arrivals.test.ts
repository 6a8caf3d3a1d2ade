import { expect, test } from 'vitest';
import { createManualClock } from '../support/clock.ts';
import { codeOf } from '../support/projects.ts';
import { startService, type Answer, type ServiceClient } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const CREATE_GUEST = `mutation { createGuest { credential } }`;

/** Becomes a guest over HTTP, as a proxy in front forwards it. */
const come = async ({ url }: ServiceClient, forwarded: string): Promise<unknown> => {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': forwarded };
  const body = JSON.stringify({ query: CREATE_GUEST });
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
  return codeOf((await response.json()) as Answer) ?? 'welcome';
};

/** The same over WebSocket. */
const comeBySocket = async (doors: ServiceClient, forwarded: string): Promise<unknown> => {
  using socket = await connectSocket(doors, {}, { headers: { 'x-forwarded-for': forwarded } });
  socket.send({ id: '1', type: 'subscribe', payload: { query: CREATE_GUEST } });
  const { type, payload } = await socket.next();
  return codeOf(type === 'error' ? { errors: payload } : payload) ?? 'welcome';
};

test('so many guests a second come from one network address, as far as trusted proxies tell', async () => {
  const clock = createManualClock();
  {
    await using behind = await startService({ trustedProxies: 1 }, { clock });
    for (let i = 0; i < 4; i++) expect(await come(behind, `10.0.0.${i}, 10.0.0.9`)).toBe('welcome');
    for (const door of [come, comeBySocket]) {
      expect(await door(behind, '10.0.0.8, 10.0.0.9')).toBe('RATE_LIMITED');
      expect(await door(behind, '10.0.0.9, 10.0.0.8')).toBe('welcome');
    }
    await clock.advance(500);
    expect(await comeBySocket(behind, '10.0.0.9')).toBe('welcome');
    expect(await come(behind, '10.0.0.9')).toBe('RATE_LIMITED');
  }
  await using open = await startService({}, { clock });
  for (let i = 0; i < 4; i++) expect(await come(open, `10.0.0.${i}`)).toBe('welcome');
  for (const door of [come, comeBySocket]) expect(await door(open, '10.0.0.7')).toBe('RATE_LIMITED');
});
