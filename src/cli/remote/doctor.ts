import { type Command } from 'commander';
import { WebSocket } from 'ws';
import { addCommand, openSession, type CommonOptions, type Session } from './command.ts';
import { cell, printable, toJson } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';

const TIMEOUT_MS = 10_000;
/** A credential is refused if its time of issue is more than 5 s in the future, so the clocks must nearly agree. */
const MAX_CLOCK_DIFFERENCE_MS = 5_000;

interface Finding {
  check: string;
  ok: boolean;
  message: string;
}

/** `doctor`. */
export function addDoctorCommand(program: Command, terminal: RemoteTerminal): void {
  addCommand(
    program,
    'doctor',
    'Check a service from here: address, API key, clock, and WebSocket through proxies. Exit code 1 when a check fails.',
  )
    .option('--origin <origin>', 'also connect as a page of this origin, such as https://app.example')
    .action(async ({ origin, ...common }: CommonOptions & { origin?: string }) => {
      const session = openSession(terminal, common);
      const base = new URL(session.address.url);
      let failed = false;
      for (const [check, run] of checksOf(session, base, origin)) {
        const finding: Finding = await run().then(
          (message) => ({ check, ok: true, message }),
          (error: unknown) => ({
            check,
            ok: false,
            message: error instanceof Error ? error.message : String(error),
          }),
        );
        failed ||= !finding.ok;
        await terminal.write(
          session.json
            ? toJson(finding)
            : `${finding.ok ? 'ok    ' : 'FAILED'}  ${cell(check)}: ${printable(finding.message)}`,
        );
      }
      if (failed) terminal.setExitCode(1);
    });
}

type Check = readonly [name: string, run: () => Promise<string>];

function checksOf({ signalbox, address, terminal }: Session, base: URL, origin: string | undefined): Check[] {
  const get = (path: string) => {
    const url = new URL(base);
    url.pathname = base.pathname.replace(/\/graphql$/, '').replace(/\/$/, '') + path;
    return fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'manual' });
  };
  const checks: Check[] = [
    [
      'address',
      async () => {
        const { status } = await get('/health').catch((error: unknown) => {
          throw new Error(
            `${base.origin} cannot be reached from here. Check SIGNALBOX_URL, DNS and the firewall.`,
            { cause: error },
          );
        });
        if (status !== 200)
          throw new Error(`/health answers ${status}. A proxy may send this address elsewhere.`);
        return `${base.origin} answers${base.protocol === 'https:' ? '' : ' without TLS; use https outside of this machine'}.`;
      },
    ],
    [
      'readiness',
      async () => {
        const { status } = await get('/ready');
        if (status !== 200)
          throw new Error(
            `/ready answers ${status}: the service is starting, draining, or cannot write its store.`,
          );
        return 'The service takes requests and can write its store.';
      },
    ],
    [
      'clock',
      async () => {
        const header = (await get('/health')).headers.get('date');
        if (header === null) return 'The answer has no Date header, so the clocks cannot be compared.';
        const difference = Math.abs(Date.parse(header) - terminal.now());
        // The header counts whole seconds, so up to one second of the difference may be its own.
        const seconds = Math.floor(difference / 1_000);
        if (difference - 1_000 > MAX_CLOCK_DIFFERENCE_MS)
          throw new Error(
            `The clocks of this machine and of the service differ by ${seconds} s. Synchronize both by NTP.`,
          );
        return `The clocks differ by less than ${seconds + 1} s.`;
      },
    ],
    [
      'API key',
      async () => {
        const project = await signalbox.project.get();
        return `The key is accepted by the project “${project.id}”.`;
      },
    ],
    ['WebSocket', () => connect(base, address.apiKey, undefined)],
  ];
  if (origin !== undefined) checks.push(['origin', () => connect(base, address.apiKey, origin)]);
  return checks;
}

/** Opens a WebSocket as a client does, and waits for the acknowledgement. */
function connect(base: URL, apiKey: string | undefined, origin: string | undefined): Promise<string> {
  const url = new URL(base);
  url.protocol = base.protocol.replace('http', 'ws');
  if (url.pathname === '/') url.pathname = '/graphql';
  const socket = new WebSocket(url, 'graphql-transport-ws', {
    handshakeTimeout: TIMEOUT_MS,
    ...(origin !== undefined && { origin }),
  });
  return new Promise((resolve, reject) => {
    const fail = (message: string) => reject(new Error(message));
    let timer: NodeJS.Timeout | undefined;
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'connection_init', payload: { apiKey } }));
      timer = setTimeout(() => {
        fail(
          `The connection was opened, but not acknowledged within ${TIMEOUT_MS / 1_000} s. A proxy may hold messages back.`,
        );
        socket.terminate();
      }, TIMEOUT_MS);
    });
    socket.on('unexpected-response', (_, response) => {
      const hint =
        response.statusCode === 403
          ? `The origin ${origin ?? ''} is not allowed: add it to SIGNALBOX_ORIGINS.`
          : 'A proxy may not pass the headers Upgrade and Connection on: see docs/guides/in-production.md.';
      fail(`The upgrade is answered with ${response.statusCode ?? 0}. ${hint}`);
      response.destroy();
    });
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as {
        type?: string;
        payload?: { pingIntervalMs?: number };
      };
      if (message.type !== 'connection_ack') return;
      const seconds = (message.payload?.pingIntervalMs ?? 0) / 1_000;
      resolve(
        origin === undefined
          ? `Connected. The service sends a ping every ${seconds} s; the idle timeout of every proxy must be longer.`
          : `A page of ${origin} may connect.`,
      );
      socket.close(1000);
    });
    socket.on('close', (code, reason) =>
      fail(`The connection was closed with ${code}: ${reason.toString('utf8') || 'no reason given'}`),
    );
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => clearTimeout(timer));
  });
}
