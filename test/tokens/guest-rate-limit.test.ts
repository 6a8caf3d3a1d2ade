import { expect, test } from 'vitest';
import { createManualClock } from '../support/clock.ts';
import { codeOf } from '../support/projects.ts';
import { startService, type Answer, type ServiceClient } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const CREATE_GUEST = `mutation { createGuest { credential } }`;

/** Calls createGuest over HTTP with an X-Forwarded-For header. Resolves to the error code, or `created`. */
const createByHttp = async ({ url }: ServiceClient, forwarded: string): Promise<unknown> => {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': forwarded };
  const body = JSON.stringify({ query: CREATE_GUEST });
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
  return codeOf((await response.json()) as Answer) ?? 'created';
};

/** Calls createGuest over WebSocket with an X-Forwarded-For header. */
const createBySocket = async (api: ServiceClient, forwarded: string): Promise<unknown> => {
  using socket = await connectSocket(api, {}, { headers: { 'x-forwarded-for': forwarded } });
  socket.send({ id: '1', type: 'subscribe', payload: { query: CREATE_GUEST } });
  const { type, payload } = await socket.next();
  return codeOf(type === 'error' ? { errors: payload } : payload) ?? 'created';
};

test('limits createGuest per second and network address, and trusts X-Forwarded-For from trusted proxies only', async () => {
  const clock = createManualClock();
  {
    await using behindProxy = await startService({ trustedProxies: 1 }, { clock });
    for (let i = 0; i < 4; i++)
      expect(await createByHttp(behindProxy, `10.0.0.${i}, 10.0.0.9`)).toBe('created');
    for (const create of [createByHttp, createBySocket]) {
      expect(await create(behindProxy, '10.0.0.8, 10.0.0.9')).toBe('RATE_LIMITED');
      expect(await create(behindProxy, '10.0.0.9, 10.0.0.8')).toBe('created');
    }
    await clock.advance(500);
    expect(await createBySocket(behindProxy, '10.0.0.9')).toBe('created');
    expect(await createByHttp(behindProxy, '10.0.0.9')).toBe('RATE_LIMITED');
  }
  await using withoutProxy = await startService({}, { clock });
  for (let i = 0; i < 4; i++) expect(await createByHttp(withoutProxy, `10.0.0.${i}`)).toBe('created');
  for (const create of [createByHttp, createBySocket])
    expect(await create(withoutProxy, '10.0.0.7')).toBe('RATE_LIMITED');
});
