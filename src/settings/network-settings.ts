import { type Setting } from './setting.ts';

/** Settings of the listening port, of proxies and of the pages that may connect. */
export const NETWORK_SETTINGS = {
  port: {
    env: 'PORT',
    default: 4000,
    unit: 'count',
    min: 0,
    max: 65_535,
    about: 'TCP port; 0 selects any free port.',
  },
  host: {
    env: 'HOST',
    default: '127.0.0.1',
    unit: 'text',
    about: 'Address to listen on. `0.0.0.0` accepts connections from the network.',
  },
  origins: {
    env: 'SIGNALBOX_ORIGINS',
    default: '',
    unit: 'origins',
    about:
      'Additional origins from which web pages may connect, for example `https://app.example`; the service’s own origin is allowed under the names of `SIGNALBOX_HOSTS`, and in development every loopback origin. `*` allows all. `null` must be listed like any other origin. A value that is not an origin is a startup error.',
  },
  hosts: {
    env: 'SIGNALBOX_HOSTS',
    default: '',
    unit: 'hosts',
    about:
      'Host names under which browsers may reach the service, for example `signalbox.example`, without a port; `*` allows all. Always allowed are IP addresses, `localhost`, names without a dot and the hosts of `SIGNALBOX_ORIGINS`. Requests for other names are refused with 421, except those for `/health` and `/ready`; in production, they are refused only if this setting lists names. A page of the same host counts as the service’s own page only under one of these allowed names.',
  },
  trustedProxies: {
    env: 'SIGNALBOX_TRUSTED_PROXIES',
    default: 0,
    unit: 'count',
    min: 0,
    max: 10,
    about:
      'Number of proxies in front of the service that append to `X-Forwarded-For`; 0 ignores the header. If an entry is not an IP address, for example because it has a port, the request counts for the address of the proxy that sent it.',
  },
  ipv6PrefixLength: {
    env: 'SIGNALBOX_IPV6_PREFIX_LENGTH',
    default: 64,
    unit: 'bits',
    min: 16,
    max: 128,
    about:
      'Bits of an IPv6 address that count as one network address in every limit, because one client usually owns the whole prefix. Use 56 or 48 if the providers of your users assign larger networks.',
  },
  handshakeTimeoutMs: {
    env: 'SIGNALBOX_HANDSHAKE_TIMEOUT_MS',
    default: 5_000,
    unit: 'ms',
    min: 100,
    max: 60_000,
    about: 'Time from opening a socket to `connection_ack`, including verification of the credential.',
  },
  responseTimeoutMs: {
    env: 'SIGNALBOX_RESPONSE_TIMEOUT_MS',
    default: 60_000,
    unit: 'ms',
    min: 100,
    max: 3_600_000,
    about:
      'How long a client may take to read the answer to an HTTP request before its connection is closed.',
  },
  keepAliveMs: {
    env: 'SIGNALBOX_KEEP_ALIVE_MS',
    default: 75_000,
    unit: 'ms',
    min: 1000,
    max: 3_600_000,
    about:
      'How long an idle HTTP connection stays open for the next request. It must be longer than the idle timeout of the load balancer in front, which is often 60 s.',
  },
  pingIntervalMs: {
    env: 'SIGNALBOX_PING_INTERVAL_MS',
    default: 15_000,
    unit: 'ms',
    min: 100,
    max: 300_000,
    about: 'Time between pings; a socket that has not answered a ping when the next is due is closed.',
  },
  privateProviders: {
    env: 'SIGNALBOX_PRIVATE_PROVIDERS',
    default: 'off',
    unit: 'choice',
    choices: ['on', 'off'],
    about:
      'Whether the keys of an OpenID provider may be fetched from a private or loopback address. Off by default, because a project could otherwise make the service send requests into your network.',
  },
} as const satisfies Record<string, Setting>;
