import { type SubscriptionSink } from './client.ts';
import { COMPLETED, type Socket } from './connection/socket.ts';
import { isolate } from './emitter.ts';
import { type SignalboxError } from './errors.ts';

/** A subscription of the application that is started again on each socket, after the last cursor that it delivered. */
export interface ResumingOperation {
  /** Whether the service has to resume it by the `since` of `connection_init`, because it has no variable of its own. */
  readonly needsInit: boolean;
  start(socket: Socket): void;
  fail(error: SignalboxError): void;
  complete(): void;
  stop(): void;
}

interface WithCursor {
  readonly cursor?: string | null;
}

/** Creates an operation that is not started yet. `onDone` is called when it will not be started again. */
export function createResumingOperation(
  document: string,
  variables: object,
  sink: SubscriptionSink,
  onDone: () => void,
): ResumingOperation {
  const hasSince = /\$since\b/.test(document);
  let since: string | undefined;
  let stop: (() => void) | undefined;
  let isDone = false;

  function finish(report: () => void): void {
    if (isDone) return;
    isDone = true;
    onDone();
    isolate(report);
  }
  const fail = (error: SignalboxError) => finish(() => sink.error(error));
  const complete = () => finish(() => sink.complete?.());

  return {
    needsInit: !hasSince,
    start(socket) {
      if (isDone) return;
      const resumed = hasSince && since !== undefined ? { ...variables, since } : variables;
      stop = socket.follow(
        document,
        resumed,
        (data) => {
          since = cursorOf(data) ?? since;
          isolate(() => sink.next(data));
        },
        (error) => {
          if (error === COMPLETED) complete();
          else if (error.code !== 'CONNECTION_LOST') fail(error);
        },
      );
    },
    ...{ fail, complete },
    stop: () => finish(() => stop?.()),
  };
}

/** The cursor of a result: its own, or that of its message. Results without one leave the position as it is. */
function cursorOf(data: unknown): string | null | undefined {
  // A subscription has one root field.
  const [result] = Object.values(data ?? {}) as (WithCursor & { readonly message?: WithCursor })[];
  return result?.cursor ?? result?.message?.cursor;
}
