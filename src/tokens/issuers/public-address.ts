import { lookup as resolve } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { lookup as resolveInto } from 'node:dns';
import { badInput } from '../../errors.ts';

/**
 * Addresses that are not on the public internet (IANA special-purpose registries). A tenant that could make the service
 * fetch from them would have access to hosts that only the service can reach.
 */
const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv6');

/** Whether an IP address, in any notation, is private, loopback, link-local, reserved or otherwise not public. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  // An IPv4 address that is mapped into IPv6 is checked as the IPv4 address.
  return family === 0 || PRIVATE.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** The host of a URL without the brackets of an IPv6 address. The URL parser has normalised IPv4 addresses. */
const hostOf = (url: URL) => url.hostname.replace(/^\[|\]$/g, '');

/**
 * Refuses a URL whose host is, or resolves to, a private address. A name that does not resolve is accepted: it may be
 * registered before its DNS record exists, and every fetch checks again.
 * @throws BAD_USER_INPUT that names `field`
 */
export async function requirePublicUrl(text: string, field: string): Promise<void> {
  const host = hostOf(new URL(text));
  const addresses = isIP(host)
    ? [host]
    : await resolve(host, { all: true }).then(
        (found) => found.map(({ address }) => address),
        () => [],
      );
  if (addresses.some(isPrivateAddress))
    throw badInput(
      field,
      'leads to a private address. Set SIGNALBOX_PRIVATE_PROVIDERS=on if the provider is inside your network.',
    );
}

/** Throws for a URL whose host is a private IP address. Names are checked by `publicLookup` when they are resolved. */
export function requirePublicHost(url: URL): void {
  const host = hostOf(url);
  if (isIP(host) && isPrivateAddress(host)) throw new Error(PRIVATE_MESSAGE);
}

const PRIVATE_MESSAGE = 'The URL leads to a private address; see SIGNALBOX_PRIVATE_PROVIDERS.';

/** Resolves a name for a connection, and fails before anything is sent when one of its addresses is private. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolveInto(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '', 0);
    if (addresses.some(({ address }) => isPrivateAddress(address)))
      return callback(new Error(PRIVATE_MESSAGE), '', 0);
    const [first] = addresses;
    if (options.all) return callback(null, addresses);
    callback(null, first?.address ?? '', first?.family ?? 0);
  });
};
