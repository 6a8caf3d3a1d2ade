import { type IncomingMessage } from 'node:http';
import { isIPv4, isIPv6, type Socket } from 'node:net';
import { type Config } from '../config.ts';

/** Determines the network address of a client, for which limits count. */
export type AddressOf = (request: IncomingMessage) => string;

/** Stands for a peer whose socket closed before its address was read. */
const UNKNOWN = 'unknown';

/**
 * The address is the peer's, or what the outermost trusted proxy appended to X-Forwarded-For if that is an IP address.
 * Anything else in the header counts for the peer, so that no spelling opens a bucket of its own.
 */
export function createAddressOf({
  trustedProxies,
  ipv6PrefixLength,
}: Pick<Config, 'trustedProxies' | 'ipv6PrefixLength'>): AddressOf {
  /** By request, because each trusted proxy sends the requests of many clients. */
  const known = new WeakMap<IncomingMessage, string>();

  /** The last address of a peer, because it takes long to normalize an IPv6 address, and a socket sends many requests. */
  let last: { text: string; address: string | undefined } | undefined;

  /**
   * Node caches the address of a socket when it is first read, so it stays known after the close. `limitHttpConnections` reads it
   * when the socket opens.
   */
  function addressOfPeer({ remoteAddress: text = '' }: Socket): string | undefined {
    if (last?.text !== text) last = { text, address: networkAddress(text, ipv6PrefixLength) };
    return last.address;
  }

  function read({ headers, socket }: IncomingMessage): string {
    // Each trusted proxy has appended the address of its client, so only the last entries can be trusted.
    const entries = trustedProxies === 0 ? [] : String(headers['x-forwarded-for'] ?? '').split(',');
    const forwarded = entries.at(-trustedProxies)?.trim() ?? '';
    return networkAddress(forwarded, ipv6PrefixLength) ?? addressOfPeer(socket) ?? UNKNOWN;
  }

  if (trustedProxies === 0) return read;
  return (request) => {
    let address = known.get(request);
    if (address === undefined) known.set(request, (address = read(request)));
    return address;
  };
}

/**
 * The network address for which limits count, equal for all spellings of an IP address: an IPv4 address, also one that is
 * mapped into IPv6, or the prefix of an IPv6 address, because one client usually owns the whole prefix.
 * @param ipv6PrefixLength bits of an IPv6 address that count, 1–128
 * @returns undefined if the text is not an IP address
 * @example networkAddress('2001:DB8::0:1', 64) // '2001:db8::/64'
 */
export function networkAddress(text: string, ipv6PrefixLength: number): string | undefined {
  // The leading zeros of 010.0.0.1 are octal to some programs and decimal to others; Node refuses them.
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  const groups = groupsOf(text);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  const kept = groups.map((group, index) => {
    const droppedBits = Math.min(Math.max((index + 1) * 16 - ipv6PrefixLength, 0), 16);
    return (group >> droppedBits) << droppedBits;
  });
  const prefix = canonicalIPv6(kept.map((group) => group.toString(16)).join(':'));
  return ipv6PrefixLength === 128 ? prefix : `${prefix}/${ipv6PrefixLength}`;
}

/** The eight 16-bit groups of an IPv6 address. */
export function groupsOf(address: string): number[] {
  const [withoutZone = ''] = address.split('%');
  const [head = '', tail] = canonicalIPv6(withoutZone).split('::');
  const parse = (part = '') => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const [before, after] = [parse(head), parse(tail)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** Lower case, without leading zeros, the longest run of zeros as `::` and no part in decimal, as the URL standard writes it. */
function canonicalIPv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
