import { type Audit } from '../audit.ts';
import { type Broker } from '../broker/broker.ts';
import { type Sender } from '../broker/message.ts';
import { type Channels } from '../channels/channels.ts';
import { type ExplainPermission } from '../channels/explain.ts';
import { type Memberships } from '../channels/memberships.ts';
import { type Connection } from '../connections/connection.ts';
import { type Connections } from '../connections/registry.ts';
import { type RightsWatches } from '../connections/rights-watch.ts';
import { type Cursors } from '../messages/cursor.ts';
import { type History } from '../messages/history.ts';
import { type Publisher } from '../messages/publish.ts';
import { type Moderation } from '../moderation/moderation.ts';
import { type ActivityFeed } from '../observability/activity-feed.ts';
import { type ExplainDelivery } from '../observability/explain-delivery.ts';
import { type Refusals } from '../observability/refusals.ts';
import { type Stats } from '../observability/stats.ts';
import { type Subscriptions } from '../subscriptions/subscriptions.ts';
import { type Store } from '../store/store.ts';
import { type Presence } from '../presence/presence.ts';
import { type ApiKeys } from '../projects/api-keys.ts';
import { type Projects } from '../projects/projects.ts';
import { type Authenticate } from '../tokens/authenticate.ts';
import { type Caller } from '../tokens/caller.ts';
import { type MintDevelopmentToken } from '../tokens/development-tokens.ts';
import { type Guests } from '../tokens/guests.ts';
import { type Issuers } from '../tokens/issuers/issuers.ts';
import { type Revocations } from '../tokens/revocations.ts';
import { type StreamTickets } from '../tokens/stream-tickets.ts';
import { type SigningKeys } from '../tokens/signing-keys.ts';
import { type Tokens } from '../tokens/tokens.ts';

/** The domain, as resolvers use it. */
export interface Domain {
  projects: Projects;
  apiKeys: ApiKeys;
  signingKeys: SigningKeys;
  /** Seals every secret in the store again under the first master key. Resolves to the number that another key had sealed. */
  resealSecrets: () => Promise<number>;
  authenticate: Authenticate;
  issuers: Issuers;
  tokens: Tokens;
  guests: Guests;
  streamTickets: StreamTickets;
  mintDevelopmentToken: MintDevelopmentToken;
  revocations: Revocations;
  explainPermission: ExplainPermission;
  explainDelivery: ExplainDelivery;
  moderation: Moderation;
  channels: Channels;
  memberships: Memberships;
  messages: Publisher;
  history: History;
  presence: Presence;
  connections: Connections;
  rights: RightsWatches;
  cursors: Cursors;
  broker: Broker;
  subscriptions: Subscriptions;
  audit: Audit;
  stats: Stats;
  activity: ActivityFeed;
  refusals: Refusals;
  /** Whether rows can be written at this moment. */
  storage: Pick<Store, 'writeProblem' | 'untilUnlocked'>;
}

/** The context of an operation, for its resolvers. */
export interface Context {
  readonly domain: Domain;
  /** The caller with its current rights. A result that reads it is never shared between subscribers. */
  readonly caller: Caller;
  /**
   * `RightsWatches.changes` at the moment at which the authentication of the caller began: a change since then may be missing in
   * the caller. Undefined for the caller of a live connection, which signals keep current.
   */
  readonly rightsAsOf: number | undefined;
  /** The live connection of the operation; undefined over plain HTTP. A result that reads it is never shared. */
  readonly connection: Connection | undefined;
  /** The network address of the client. A result that reads it is never shared. */
  readonly address: string;
  /**
   * Whether the caller published the messages of this sender. A result that reads it is shared between all other callers,
   * and between the connections of the sender.
   */
  isSender(sender: Sender): boolean;
  /** The live connection; opens one when an HTTP request becomes a stream. */
  connect(): Promise<Connection>;
}
