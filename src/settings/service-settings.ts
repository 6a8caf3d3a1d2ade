import { type Setting } from './setting.ts';

/** Settings of the process and its log. */
export const SERVICE_SETTINGS = {
  mode: {
    env: 'NODE_ENV',
    default: 'development',
    unit: 'choice',
    choices: ['development', 'test', 'production'],
    about:
      '`production` disables the console, GraphiQL, introspection and suggestions, and, in projects, anonymous callers and guests, unless they are enabled explicitly.',
  },
  logLevel: {
    env: 'SIGNALBOX_LOG_LEVEL',
    default: 'info',
    unit: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    about: 'Lowest severity that is logged. `SIGNALBOX_AUDIT_LOG` controls the audit log.',
  },
  auditLog: {
    env: 'SIGNALBOX_AUDIT_LOG',
    default: 'auto',
    unit: 'choice',
    choices: ['auto', 'on', 'off'],
    about:
      'The audit log: who did what, and who was refused; `auto` writes it at every log level except `silent`.',
  },
  auditedRefusalsPerSecondPerAddress: {
    env: 'SIGNALBOX_AUDITED_REFUSALS_PER_SECOND_PER_ADDRESS',
    default: 100,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Refusals of one network address that are written to the audit log; bursts of twice this number are allowed. The others are counted, and a line every 10 s states their number.',
  },
  auditedRefusalsPerSecond: {
    env: 'SIGNALBOX_AUDITED_REFUSALS_PER_SECOND',
    default: 200,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Refusals of all network addresses together that are written to the audit log; bursts of twice this number are allowed. The others are counted in the same line.',
  },
  graphiql: {
    env: 'SIGNALBOX_GRAPHIQL',
    default: 'auto',
    unit: 'choice',
    choices: ['auto', 'on', 'off'],
    about: 'GraphiQL at `/graphql`; `auto` enables it outside production.',
  },
  console: {
    env: 'SIGNALBOX_CONSOLE',
    default: 'auto',
    unit: 'choice',
    choices: ['auto', 'on', 'off'],
    about: 'The web console at `/console`; `auto` enables it outside production.',
  },
  introspection: {
    env: 'SIGNALBOX_INTROSPECTION',
    default: 'auto',
    unit: 'choice',
    choices: ['auto', 'on', 'off'],
    about: 'Schema introspection; `auto` enables it outside production.',
  },
  drainDelayMs: {
    env: 'SIGNALBOX_DRAIN_DELAY_MS',
    default: 1_000,
    unit: 'ms',
    min: 0,
    max: 600_000,
    about:
      'How long the service continues to accept work after SIGTERM while `/ready` answers 503, so that load balancers stop sending new connections. SIGINT does not wait.',
  },
  drainTimeoutMs: {
    env: 'SIGNALBOX_DRAIN_TIMEOUT_MS',
    default: 10_000,
    unit: 'ms',
    min: 0,
    max: 600_000,
    about: 'How long the service waits for open requests and sockets after SIGTERM.',
  },
} as const satisfies Record<string, Setting>;
