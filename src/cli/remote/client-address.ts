import { BlockList, isIPv6 } from 'node:net';

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  PRIVATE.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  PRIVATE.addSubnet(network, bits, 'ipv6');

const isPrivate = (address: string) => PRIVATE.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

/**
 * Judges the network address for which the service counts a client that sent a forged `X-Forwarded-For`.
 * @param seen the address as the service reports it; for IPv6 a prefix, such as `2001:db8::/64`
 * @param server the address of the service, as DNS resolves it on this machine
 * @throws Error when clients can choose their address, or when the address is that of a proxy
 */
export function explainClientAddress({
  seen,
  forged,
  server,
}: {
  seen: string;
  forged: string;
  server: string;
}): string {
  if (seen === forged)
    throw new Error(
      'A client can choose the address for which its limits count, because the service trusts more proxies than there are. Set SIGNALBOX_TRUSTED_PROXIES to the number of proxies in front of it, and let each append to X-Forwarded-For.',
    );
  const [address = ''] = seen.split('/');
  if (isPrivate(address) && !isPrivate(server))
    throw new Error(
      `The service takes ${seen} for the address of this machine, which is that of a proxy: the limits of one client count for all. Set SIGNALBOX_TRUSTED_PROXIES to the number of proxies in front of it.`,
    );
  return `The service counts this machine as ${seen}, and a forged X-Forwarded-For changes nothing.`;
}
