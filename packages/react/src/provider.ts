import { createContext, createElement, useContext, type ReactNode } from 'react';
import { type EventMap, type SignalboxClient } from '@signalbox/client';

const ClientContext = createContext<SignalboxClient<never> | undefined>(undefined);

/** Properties of `SignalboxProvider`. */
export interface SignalboxProviderProps<Events extends EventMap> {
  /** Create it once, outside of components, or with `useState`. It connects when a component needs it. */
  readonly client: SignalboxClient<Events>;
  readonly children?: ReactNode;
}

/** Gives a client to the hooks of the components below. It neither connects nor closes the client. */
export function SignalboxProvider<Events extends EventMap>({
  client,
  children,
}: SignalboxProviderProps<Events>): ReactNode {
  return createElement(
    ClientContext.Provider,
    { value: client as unknown as SignalboxClient<never> },
    children,
  );
}

/** The client of the provider above. @throws Error without a provider */
export function useSignalbox<Events extends EventMap = Record<string, unknown>>(): SignalboxClient<Events> {
  const client = useContext(ClientContext);
  if (!client) throw new Error('Put the component inside a <SignalboxProvider client={…}>.');
  return client as unknown as SignalboxClient<Events>;
}
