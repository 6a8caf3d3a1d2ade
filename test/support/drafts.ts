import { type Address, type Draft } from '../../src/broker/message.ts';

const NOW = Date.UTC(2030, 0, 1);

let count = 0;

/** Something to say, in channel `lobby` of project `one` unless told otherwise. */
export function draft(over: Partial<Draft> = {}): Draft {
  return {
    projectId: 'one',
    id: `msg_${++count}`,
    address: 'channel:lobby',
    event: 'said',
    data: null,
    sender: { kind: 'API_KEY', tokenId: null, identity: null, connectionData: null },
    publishedAt: NOW,
    bytes: 0,
    ephemeral: false,
    ...over,
  };
}

/** The same thing to say under `key`: a repeat has the same fingerprint. */
export function keyed(key: string, over: Partial<Draft> & { fingerprint?: string } = {}): Draft {
  const { fingerprint = 'same', ...rest } = over;
  const said = draft(rest);
  return { ...said, idempotency: { key, fingerprint, expiresAt: said.publishedAt + 1000 } };
}

/** Addresses that are asked for from their beginning. */
export const from = (...addresses: Address[]): Map<Address, number> =>
  new Map(addresses.map((address) => [address, 0]));
