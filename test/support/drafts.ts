import { type Address, type Draft } from '../../src/broker/message.ts';

const NOW = Date.UTC(2030, 0, 1);

let count = 0;

/** A draft of a message to channel `lobby` of project `one`, with overrides. */
export function draft(overrides: Partial<Draft> = {}): Draft {
  return {
    projectId: 'one',
    id: `msg_${++count}`,
    address: 'channel:lobby',
    event: 'message',
    data: null,
    sender: { kind: 'API_KEY', tokenId: null, identity: null, connectionData: null },
    publishedAt: NOW,
    bytes: 0,
    ephemeral: false,
    ...overrides,
  };
}

/** A draft with an idempotency key. Drafts have the same fingerprint by default, so a second one is a repeat. */
export function keyed(key: string, overrides: Partial<Draft> & { fingerprint?: string } = {}): Draft {
  const { fingerprint = 'same', ...rest } = overrides;
  const message = draft(rest);
  return { ...message, idempotency: { key, fingerprint, expiresAt: message.publishedAt + 1000 } };
}

/** Addresses to read from the start of their log. */
export const from = (...addresses: Address[]): Map<Address, number> =>
  new Map(addresses.map((address) => [address, 0]));
