import { subscriptionExchange, type Exchange } from '@urql/core';
import { type SignalboxClient } from '../client.ts';
import { type EventMap } from '../message.ts';

/**
 * An exchange for urql over the socket of a client: with its credential, its renewal and its reconnects. A subscription
 * with a variable `$since` continues after the last cursor that it delivered.
 *
 * @example
 * new Client({ url, preferGetMethod: false, exchanges: [signalboxExchange(signalbox)] });
 */
export function signalboxExchange<Events extends EventMap>(client: SignalboxClient<Events>): Exchange {
  return subscriptionExchange({
    enableAllOperations: true,
    forwardSubscription: ({ query = '', variables = {} }, operation) => ({
      subscribe(sink) {
        if (operation.kind === 'subscription')
          return {
            unsubscribe: client.subscribe(query, variables, {
              next: (data) => sink.next({ data: data as Record<string, unknown> }),
              error: (error) => sink.error(error),
              complete: () => sink.complete(),
            }),
          };
        let isStopped = false;
        client.graphql<Record<string, unknown>>(query, variables).then(
          (data) => {
            if (isStopped) return;
            sink.next({ data });
            sink.complete();
          },
          (error: unknown) => {
            if (!isStopped) sink.error(error);
          },
        );
        return { unsubscribe: () => void (isStopped = true) };
      },
    }),
  });
}
