import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limitHttpConnections } from '../../src/transport/http-connections.ts';
import { createAddressOf, networkAddress } from '../../src/transport/network-address.ts';
import { createManualClock } from '../support/clock.ts';
import { codeOf } from '../support/projects.ts';
import { startService, type Answer, type TestService } from '../support/service.ts';
import { connectSocket, openSocket, upgrade } from '../support/socket.ts';

const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const groups = fc.array(group, { minLength: 8, maxLength: 8 });
const isMapped = (address: number[]) =>
  address.slice(0, 5).every((part) => part === 0) && address[5] === 0xffff;

/** Spells an IPv6 address in one of the ways that RFC 4291 allows. */
const spelling = (address: number[]) =>
  fc
    .record({
      widths: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 }),
      upperCase: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      compress: fc.option(fc.tuple(fc.nat(7), fc.integer({ min: 1, max: 8 }))),
      hasDecimalTail: fc.boolean(),
      zone: fc.constantFrom('', '%eth0', '%1'),
    })
    .map(({ widths, upperCase, compress, hasDecimalTail, zone }) => {
      let parts = address.map((part, index) => {
        const text = part.toString(16).padStart(widths[index]!, '0');
        return upperCase[index] ? text.toUpperCase() : text;
      });
      if (hasDecimalTail) {
        const [high = 0, low = 0] = address.slice(6);
        parts = [...parts.slice(0, 6), [high >> 8, high & 255, low >> 8, low & 255].join('.')];
      }
      if (!compress) return parts.join(':') + zone;
      const [start, length] = compress;
      const end = Math.min(start + length, hasDecimalTail ? 6 : 8);
      if (start >= end || address.slice(start, end).some((part) => part !== 0)) return parts.join(':') + zone;
      return `${parts.slice(0, start).join(':')}::${parts.slice(end).join(':')}${zone}`;
    });

test('counts all spellings of an IPv6 address as one', () => {
  fc.assert(
    fc.property(
      groups.chain((address) => fc.tuple(spelling(address), spelling(address))),
      fc.integer({ min: 16, max: 128 }),
      ([one, other], bits) => {
        expect(networkAddress(one, bits)).toBeDefined();
        expect(networkAddress(one, bits)).toBe(networkAddress(other, bits));
      },
    ),
    { examples: [[['2001:db8::1', '2001:DB8:0:0:0000::0.0.0.1'], 64]] },
  );
});

test('counts IPv6 addresses as one if and only if they share the prefix', () => {
  const bitsOf = (address: number[]) => address.map((part) => part.toString(2).padStart(16, '0')).join('');
  fc.assert(
    fc.property(groups, groups, fc.nat(7), fc.integer({ min: 16, max: 128 }), (one, random, keep, bits) => {
      const other = [...one.slice(0, keep), ...random.slice(keep)];
      fc.pre(!isMapped(one) && !isMapped(other));
      const hex = (address: number[]) => address.map((part) => part.toString(16)).join(':');
      const isShared = bitsOf(one).slice(0, bits) === bitsOf(other).slice(0, bits);
      expect(networkAddress(hex(one), bits) === networkAddress(hex(other), bits)).toBe(isShared);
    }),
  );
});

test('counts an IPv4 address that is mapped into IPv6 as the IPv4 address', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }).chain((bytes) => {
        const [a = 0, b = 0, c = 0, d = 0] = bytes;
        const mapped = spelling([0, 0, 0, 0, 0, 0xffff, (a << 8) | b, (c << 8) | d]);
        return fc.tuple(fc.constant(bytes.join('.')), mapped);
      }),
      ([plain, mapped]) => {
        expect(networkAddress(plain, 64)).toBe(plain);
        expect(networkAddress(mapped, 64)).toBe(plain);
      },
    ),
  );
});

/** Texts that some parsers accept as an address and that no proxy appends. */
const NO_ADDRESSES = [
  '',
  'unknown',
  '_hidden',
  '192.0.2',
  '192.0.2.01',
  '192.000.002.001',
  '0x7f.0.0.1',
  '3221225985',
  '192.0.2.1:4711',
  '192.0.2.1.',
  '192.0.2.256',
  '１92.0.2.1',
  '[2001:db8::1]',
  '[2001:db8::1]:443',
  '2001:db8::1::2',
  '2001:db8::g',
  '2001:db8::1/64',
  'for=192.0.2.1',
  '"192.0.2.1"',
];

test.each(NO_ADDRESSES)('does not take “%s” for an address', (text) => {
  expect(networkAddress(text, 64)).toBeUndefined();
});

test.each([
  ['2001:db8:1:2:3:4:5:6', 64, '2001:db8:1:2::/64'],
  ['2001:db8:1:2ff:3:4:5:6', 56, '2001:db8:1:200::/56'],
  ['2001:db8:1:2:3:4:5:6', 48, '2001:db8:1::/48'],
  ['2001:DB8:0:0:0:0:0:6', 128, '2001:db8::6'],
])('writes %s with %i bits as %s', (text, bits, expected) => {
  expect(networkAddress(text, bits)).toBe(expected);
});

test('a request has the address of its client after its socket was closed', async () => {
  const config = { maxConnections: 9, maxConnectionsPerAddress: 9, trustedProxies: 0, ipv6PrefixLength: 64 };
  const addressOf = createAddressOf(config);
  const server = createServer();
  limitHttpConnections(server, addressOf, config);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [request] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  client.destroy();
  await once(request.socket, 'close');
  expect(addressOf(request)).toBe('127.0.0.1');
  server.close();
});

/** Calls createGuest once for each entry that the trusted proxy appended. Resolves to the number of guests. */
async function createGuests({ url }: TestService, forwarded: readonly string[]): Promise<number> {
  let created = 0;
  for (const entry of forwarded) {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': entry };
    const body = JSON.stringify({ query: 'mutation { createGuest { credential } }' });
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
    if (codeOf((await response.json()) as Answer) === undefined) created++;
  }
  return created;
}

test('neither the addresses of one IPv6 prefix nor odd spellings open buckets of their own', async () => {
  await using signalbox = await startService({ trustedProxies: 1 }, { clock: createManualClock() });
  const ofPrefix = Array.from({ length: 20 }, (_, n) => `2001:db8:0:7:${n.toString(16)}::${n}`);
  expect(await createGuests(signalbox, ofPrefix)).toBe(4);
  const ofOneAddress = [
    '192.0.2.7',
    '::ffff:192.0.2.7',
    '::FFFF:c000:207',
    '0::ffff:c000:0207%1',
    '192.0.2.7',
  ];
  expect(await createGuests(signalbox, ofOneAddress)).toBe(4);
  // What is no address counts for the proxy, here 127.0.0.1.
  const oddities = NO_ADDRESSES.filter((text) => /^[\x20-\x7e]+$/.test(text));
  expect(await createGuests(signalbox, [...oddities, '127.0.0.1', '::ffff:127.0.0.1'])).toBe(4);
  expect(await createGuests(signalbox, ['2001:db8:0:8::1', '192.0.2.8'])).toBe(2);
});

test('counts connections and connects by IPv6 prefix, of the length that SIGNALBOX_IPV6_PREFIX_LENGTH sets', async () => {
  await using signalbox = await startService({
    trustedProxies: 1,
    ipv6PrefixLength: 48,
    maxConnectionsPerAddress: 1,
  });
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
  using _first = await openSocket(signalbox, from('2001:db8:1:1::1'));
  expect((await upgrade(signalbox, from('2001:db8:1:2::1'))).status).toBe(503);
  expect((await upgrade(signalbox, from('2001:db8:2::1'))).status).toBe(101);
});

test('counts the IPv4 clients of a dual-stack listener like those of an IPv4 listener', async ({ skip }) => {
  const dualStack = await startService({ host: '::', maxConnectionsPerAddress: 1 }).catch(() => undefined);
  if (!dualStack) return skip('This machine has no IPv6.');
  await using signalbox = dualStack;
  const wsUrl = signalbox.wsUrl.replace('[::]', '127.0.0.1');
  using _first = await connectSocket({ wsUrl });
  expect((await upgrade({ wsUrl })).status).toBe(503);
  expect((await upgrade({ wsUrl: signalbox.wsUrl.replace('[::]', '[::1]') })).status).toBe(101);
});
