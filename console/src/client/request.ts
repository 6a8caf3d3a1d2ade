import { type SignalboxClient } from '@signalbox/client';
import { type Operation } from '../operation.ts';

/** Any client of the SDK. */
export type Client = SignalboxClient<Record<string, unknown>>;

/** Runs a typed query or mutation over the WebSocket of the client. */
export function request<Result, Variables extends object>(
  client: Client,
  operation: Operation<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  return client.graphql<Result>(operation, variables);
}
