import {
  ListConnectionsDocument,
  type LiveConnectionFragment,
  type Transport,
} from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { listPages, PAGE_SIZE } from './pages.ts';
import { type Request } from './transport/request.ts';

/** A live connection with its channels, and how far behind it is: `queuedBytes`, `cursor`, `isCaughtUp`. */
export type LiveConnection = LiveConnectionFragment;

/** Selects live connections. Absent fields select all. */
export interface ConnectionFilter {
  channel?: string | undefined;
  token?: string | undefined;
  identity?: string | undefined;
  transport?: Transport | undefined;
}

/** The call `signalbox.listConnections`. */
export function createListConnections(request: Request) {
  /** Yields the live connections of the project, oldest first; reads 100 at a time. */
  return (
    { channel, token, identity, transport }: ConnectionFilter = {},
    options?: CallOptions,
  ): AsyncGenerator<LiveConnection, void, undefined> =>
    listPages(async (after) => {
      const variables = { channel, token, identity, transport, first: PAGE_SIZE, after };
      return (await request(ListConnectionsDocument, variables, 'repeatable', options)).connections;
    });
}
