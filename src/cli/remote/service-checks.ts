import { lookup } from 'node:dns/promises';
import { TIMEOUT_MS, type Check } from './checks.ts';
import { checkEventStream, type Post } from './event-stream-check.ts';
import { explainClientAddress } from './client-address.ts';
import { requireApiKey, type Session } from './command.ts';

/** A credential is refused if its time of issue is more than 5 s in the future, so the clocks must nearly agree. */
const MAX_CLOCK_DIFFERENCE_MS = 5_000;
/** An address of the range for documentation, which no client has. */
const FORGED_ADDRESS = '192.0.2.1';

/** The checks over HTTP. The first is whether the service answers at all. */
export function serviceChecks(session: Session, base: URL): Check[] {
  const { address, terminal } = session;
  const prefix = base.pathname.replace(/\/graphql$/, '').replace(/\/$/, '');
  const call = (path: string, init: RequestInit = {}) =>
    fetch(new URL(prefix + path, base), {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'manual',
      ...init,
    });
  const post: Post = (query, headers, timeoutMs = TIMEOUT_MS) =>
    call('/graphql', {
      method: 'POST',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        authorization: `Bearer ${requireApiKey(address)}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify({ query }),
    });

  return [
    ['address', async () => checkReachable(base, await call('/health').catch(unreachable(base)))],
    [
      'readiness',
      async () => {
        const answer = await call('/ready');
        if (answer.status === 404)
          return '/ready is not passed on by the proxy, which is right for a public address.';
        if (answer.status !== 200) throw new Error(`The service is not ready: ${await answer.text()}`);
        return 'The service takes requests and can write its store.';
      },
    ],
    ['clock', async () => compareClocks((await call('/health')).headers.get('date'), terminal.now())],
    [
      'API key',
      async () => {
        const { id } = await session.signalbox.project.get();
        return `The key is accepted by the project “${id}”.`;
      },
    ],
    [
      'client address',
      async () => {
        const answer = await post('{ viewer { address } }', { 'x-forwarded-for': FORGED_ADDRESS });
        const { data } = (await answer.json()) as { data?: { viewer: { address: string } } };
        if (!data) throw new Error('The API key is not accepted, so this could not be checked.');
        const server = await lookup(base.hostname.replace(/^\[|\]$/g, ''));
        return explainClientAddress({
          seen: data.viewer.address,
          forged: FORGED_ADDRESS,
          server: server.address,
        });
      },
    ],
    ['event streams', () => checkEventStream(post)],
  ];
}

const unreachable = (base: URL) => (error: unknown) => {
  const { code, message } = Object(
    error instanceof Error ? error.cause : undefined,
  ) as Partial<NodeJS.ErrnoException>;
  throw new Error(
    `${base.origin} cannot be reached from here (${code ?? message ?? String(error)}). Check SIGNALBOX_URL, DNS, the firewall and the certificate.`,
    { cause: error },
  );
};

function checkReachable(base: URL, { status, headers }: Response): string {
  if (status >= 300 && status < 400)
    throw new Error(
      `${base.origin} redirects to ${headers.get('location') ?? 'another address'}. Set SIGNALBOX_URL to the address that answers.`,
    );
  if (status !== 200)
    throw new Error(
      `/health answers ${status}. A proxy sends this address elsewhere, or its service is down.`,
    );
  return `${base.origin} answers${base.protocol === 'https:' ? '' : ' without TLS; use https outside of this machine'}.`;
}

function compareClocks(header: string | null, now: number): string {
  if (header === null) return 'The answer has no Date header, so the clocks cannot be compared.';
  const difference = Math.abs(Date.parse(header) - now);
  // The header counts whole seconds, so up to one second of the difference may be its own.
  const seconds = Math.floor(difference / 1_000);
  if (difference - 1_000 > MAX_CLOCK_DIFFERENCE_MS)
    throw new Error(
      `The clocks of this machine and of the service differ by ${seconds} s. Synchronize both by NTP.`,
    );
  return `The clocks differ by less than ${seconds + 1} s.`;
}
