import { ApolloLink, Observable } from '@apollo/client';
import { OperationTypeNode, print } from 'graphql';
import { type EventMap } from '../message.ts';
import { type SignalboxClient } from '../client.ts';

/**
 * A link for Apollo Client 4 over the socket of a client: with its credential, its renewal and its reconnects. A
 * subscription with a variable `$since` continues after the last cursor that it delivered.
 *
 * @example
 * new ApolloClient({ cache: new InMemoryCache(), link: signalboxLink(signalbox) });
 */
export function signalboxLink<Events extends EventMap>(client: SignalboxClient<Events>): ApolloLink {
  return new ApolloLink(({ query, variables, operationType }) => {
    const document = print(query);
    return new Observable((observer) => {
      if (operationType === OperationTypeNode.SUBSCRIPTION)
        return client.subscribe(document, variables, {
          next: (data) => observer.next({ data: data as Record<string, unknown> }),
          error: (error) => observer.error(error),
          complete: () => observer.complete(),
        });
      client.graphql<Record<string, unknown>>(document, variables).then(
        (data) => {
          observer.next({ data });
          observer.complete();
        },
        (error: unknown) => observer.error(error),
      );
      return undefined;
    });
  });
}
