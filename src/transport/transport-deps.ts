import { type GraphQLSchema } from 'graphql';
import { type Config } from '../config.ts';
import { type Domain } from '../schema/context.ts';
import { type Documents } from './documents.ts';
import { type ConnectionLimiter } from './connection-limiter.ts';
import { type Metrics } from './metrics.ts';
import { type PublicError } from './public-errors.ts';

/** What every door of GraphQL is made of, so that none has rules of its own. */
export interface TransportDeps {
  schema: GraphQLSchema;
  domain: Domain;
  config: Config;
  documents: Documents;
  publicError: PublicError;
  limiter: ConnectionLimiter;
  metrics: Metrics;
}
