import { isIPv4 } from 'node:net';
import { type Config } from '../config.ts';
import { SignalboxError } from '../errors.ts';
import { hostNameOf } from '../host-list.ts';
import { parseUrl } from '../names.ts';

export type HostConfig = Pick<Config, 'hosts' | 'origins' | 'host' | 'mode'>;

/**
 * Whether the Host header names the service by a known name, with any port: an IP address, `localhost`, a name without a
 * dot, the address that the service listens on, or a name of `config.hosts` or `config.origins`.
 *
 * Against DNS rebinding: when a foreign name resolves to the service's address, browsers take pages of that name for pages
 * of the service, and send the name as Host and Origin. No name resolves an IP address to another one, and names without a
 * dot are resolved inside the local network only. A request without the header comes from no browser.
 */
export function isKnownHost(host: string | undefined, { hosts, origins, host: bound }: HostConfig): boolean {
  if (host === undefined || hosts.includes('*')) return true;
  const name = hostNameOf(host);
  if (name === undefined) return false;
  const isIP = isIPv4(name) || name.startsWith('[');
  const isLocal = !name.includes('.') || name.endsWith('.localhost') || name === hostNameOf(bound);
  return isIP || isLocal || hosts.includes(name) || origins.some((origin) => hostOfOrigin(origin) === name);
}

/** Whether a request with this Host header is answered. In production every name is, unless `config.hosts` lists some. */
export function isAllowedHost(host: string | undefined, config: HostConfig): boolean {
  const isChecked = config.mode !== 'production' || config.hosts.length > 0;
  return !isChecked || isKnownHost(host, config);
}

function hostOfOrigin(origin: string): string | undefined {
  return parseUrl(origin)?.hostname;
}

/** The error does not repeat a longer name: it cannot be an entry of a list of the operator. */
const MAX_NAMED_HOST_LENGTH = 200;

/** The error for a request under a name that is not known. It names the host and the setting that allows it. */
export function hostRefused(host = ''): SignalboxError {
  const name = hostNameOf(host);
  const named =
    name !== undefined && name.length <= MAX_NAMED_HOST_LENGTH ? `the name “${name}”` : 'this name';
  return new SignalboxError(
    'FORBIDDEN',
    `The service is not known under ${named}. Add it to SIGNALBOX_HOSTS.`,
    { reason: 'HOST' },
  );
}
