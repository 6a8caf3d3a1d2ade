import { type Setting } from './setting.ts';

const MIB = 1024 * 1024;

/** Maximum sizes of what clients send and of what is queued for them. */
export const SIZE_SETTINGS = {
  maxMessageBytes: {
    env: 'SIGNALBOX_MAX_MESSAGE_BYTES',
    default: 65_536,
    unit: 'bytes',
    min: 1024,
    max: 16 * MIB,
    about: 'Maximum size of a request body and of a WebSocket message from a client.',
  },
  maxDataBytes: {
    env: 'SIGNALBOX_MAX_DATA_BYTES',
    default: 32_768,
    unit: 'bytes',
    min: 256,
    max: 8 * MIB,
    about: 'Maximum size of the `data` of a message, as JSON.',
  },
  maxSignalBytes: {
    env: 'SIGNALBOX_MAX_SIGNAL_BYTES',
    default: 8_192,
    unit: 'bytes',
    min: 256,
    max: 8 * MIB,
    about:
      'Maximum size of the `data` of a direct message to one connection: a string is measured in bytes, any other value as JSON.',
  },
  maxStateBytes: {
    env: 'SIGNALBOX_MAX_STATE_BYTES',
    default: 16_384,
    unit: 'bytes',
    min: 256,
    max: 8 * MIB,
    about: 'Maximum size of the state of a channel or token, as JSON.',
  },
  maxPresenceBytes: {
    env: 'SIGNALBOX_MAX_PRESENCE_BYTES',
    default: 1_024,
    unit: 'bytes',
    min: 64,
    max: 65_536,
    about: 'Maximum size of the presence state of a connection, as JSON.',
  },
  maxCredentialBytes: {
    env: 'SIGNALBOX_MAX_CREDENTIAL_BYTES',
    default: 32_768,
    unit: 'bytes',
    min: 1024,
    max: 1_048_576,
    about:
      'Maximum size of a credential that an issuer signed. Over a WebSocket, the credential must also fit into SIGNALBOX_MAX_MESSAGE_BYTES.',
  },
  maxQueueBytes: {
    env: 'SIGNALBOX_MAX_QUEUE_BYTES',
    default: MIB,
    unit: 'bytes',
    min: 16_384,
    max: 256 * MIB,
    about:
      'Bytes queued for one slow client before its connection is closed with 4408; the client resumes by cursor.',
  },
  maxRetainedBytesPerConnection: {
    env: 'SIGNALBOX_MAX_RETAINED_BYTES_PER_CONNECTION',
    default: 4 * MIB,
    unit: 'bytes',
    min: 16_384,
    max: 1024 * MIB,
    about:
      'Estimated memory that the running operations of one connection may retain: their variables and their documents. An event stream over HTTP counts as a connection.',
  },
  maxRetainedBytesPerAddress: {
    env: 'SIGNALBOX_MAX_RETAINED_BYTES_PER_ADDRESS',
    default: 64 * MIB,
    unit: 'bytes',
    min: 65_536,
    max: 65_536 * MIB,
    about:
      'Estimated memory that the clients of one network address may retain: running operations, and answers that were not read.',
  },
  maxRetainedBytes: {
    env: 'SIGNALBOX_MAX_RETAINED_BYTES',
    default: 256 * MIB,
    unit: 'bytes',
    min: 65_536,
    max: 1_048_576 * MIB,
    about:
      'Estimated memory that all clients together may retain: running operations, open requests and answers that were not read.',
  },
} as const satisfies Record<string, Setting>;
