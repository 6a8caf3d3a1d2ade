import { type Setting } from './setting.ts';

/** Rates of connects, publishes and other changes. */
export const RATE_SETTINGS = {
  connectsPerSecond: {
    env: 'SIGNALBOX_CONNECTS_PER_SECOND',
    default: 200,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'New connections from one network address; bursts of twice this number are allowed. Each node counts for itself.',
  },
  publishesPerSecondPerToken: {
    env: 'SIGNALBOX_PUBLISHES_PER_SECOND_PER_TOKEN',
    default: 50,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about: 'Publishes by one token; bursts of twice this number are allowed. Each node counts for itself.',
  },
  publishesPerSecondPerKey: {
    env: 'SIGNALBOX_PUBLISHES_PER_SECOND_PER_KEY',
    default: 50_000,
    unit: 'per second',
    min: 1,
    max: 10_000_000,
    about: 'Publishes by one API key; bursts of twice this number are allowed. Each node counts for itself.',
  },
  stateChangesPerSecondPerToken: {
    env: 'SIGNALBOX_STATE_CHANGES_PER_SECOND_PER_TOKEN',
    default: 20,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Changes of channel state by one token; bursts of twice this number are allowed. Each node counts for itself.',
  },
  stateChangesPerSecondPerChannel: {
    env: 'SIGNALBOX_STATE_CHANGES_PER_SECOND_PER_CHANNEL',
    default: 200,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Changes of the state of one channel, by API keys and tokens together; bursts of twice this number are allowed. Each node counts for itself.',
  },
  changesPerSecondPerToken: {
    env: 'SIGNALBOX_CHANGES_PER_SECOND_PER_TOKEN',
    default: 20,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Changes by one token that others see: mutes, bans and disconnects, its own memberships, and joins of channels by a connection that has left one. Each kind is counted separately; bursts of twice this number are allowed. Each node counts for itself.',
  },
  operationCostPerSecondPerToken: {
    env: 'SIGNALBOX_OPERATION_COST_PER_SECOND_PER_TOKEN',
    default: 20_000,
    unit: 'per second',
    min: 100,
    max: 1_000_000_000,
    about:
      'Cost of the operations of one token, reads included; bursts of twice this number are allowed. An operation costs 10, 1 for each field that it may return and 5 for each row that it reads.',
  },
  operationCostPerSecondPerAddress: {
    env: 'SIGNALBOX_OPERATION_COST_PER_SECOND_PER_ADDRESS',
    default: 100_000,
    unit: 'per second',
    min: 100,
    max: 1_000_000_000,
    about:
      'Cost of the operations of all tokens and anonymous callers of one network address; bursts of twice this number are allowed. Each node counts for itself.',
  },
  operationCostPerSecondPerKey: {
    env: 'SIGNALBOX_OPERATION_COST_PER_SECOND_PER_KEY',
    default: 10_000_000,
    unit: 'per second',
    min: 100,
    max: 1_000_000_000,
    about:
      'Cost of the operations of one API key; bursts of twice this number are allowed. Each node counts for itself.',
  },
  credentialsPerSecond: {
    env: 'SIGNALBOX_CREDENTIALS_PER_SECOND',
    default: 2_000,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Tokens and credentials that one API key may create; bursts of twice this number are allowed. Each node counts for itself.',
  },
  guestsPerSecond: {
    env: 'SIGNALBOX_GUESTS_PER_SECOND',
    default: 2,
    unit: 'per second',
    min: 1,
    max: 1_000_000,
    about:
      'Guest tokens created from one network address; bursts of twice this number are allowed. Each node counts for itself.',
  },
} as const satisfies Record<string, Setting>;
