import { type GraphQLSchema } from 'graphql';
import { type Config } from '../config.ts';
import { type Domain } from '../schema/context.ts';
import { type Documents } from './documents.ts';
import { type ConnectionLimiter } from './connection-limiter.ts';
import { type AddressOf } from './network-address.ts';
import { type Metrics } from './metrics.ts';
import { type OperationBudget } from './operation-budget.ts';
import { type RetainedMemory } from './retained-memory.ts';
import { type PublicError } from './public-errors.ts';
import { type UnacknowledgedBytes } from './unacknowledged.ts';

/** The dependencies that HTTP, SSE and WebSocket share, so that all three apply the same rules. */
export interface TransportDeps {
  schema: GraphQLSchema;
  domain: Domain;
  config: Config;
  documents: Documents;
  publicError: PublicError;
  addressOf: AddressOf;
  limiter: ConnectionLimiter;
  memory: RetainedMemory;
  budget: OperationBudget;
  metrics: Metrics;
  /** Notices when the peer of an event stream has vanished. */
  unacknowledged: UnacknowledgedBytes;
}
