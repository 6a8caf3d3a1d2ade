import { type Audit } from '../audit.ts';
import { type Broker } from '../broker/broker.ts';
import { type Clock } from '../clock.ts';
import { type Connection } from '../connections/connection.ts';
import { type ConnectionChange } from '../connections/registry.ts';
import { limitExceeded } from '../errors.ts';
import { parseName } from '../names.ts';
import { Multimap } from '../multimap.ts';
import { EventStream } from '../subscriptions/event-stream.ts';
import {
  activityOfAudit,
  activityOfConnection,
  activityOfMessage,
  activityOfPresence,
  type Activity,
} from './activity.ts';
import { ActivityBatch } from './activity-batch.ts';
import { ActivityListener, type ActivityListenerOptions } from './activity-listener.ts';

/** Subscriptions to the activities of one project that a node serves. Each takes part in every delivery. */
export const MAX_LISTENERS_PER_PROJECT = 50;

/**
 * What happens in the projects of this node, as it happens: everything that is written to the audit log, and beside it the
 * changes of connections; messages and presence of all nodes. Costs nothing while there is no subscription.
 */
export interface ActivityFeed extends Disposable {
  /** Reports what is written to the audit log. */
  readonly report: Audit;
  reportConnection(change: ConnectionChange): void;
  /**
   * The activities of the project of a connection, from now on.
   * @throws UNAUTHENTICATED, FORBIDDEN as `requireActivityRights`
   * @throws LIMIT_EXCEEDED when the project has too many of these subscriptions, BAD_USER_INPUT for a malformed filter
   */
  open(connection: Connection, options: ActivityListenerOptions): EventStream<Activity>;
}

export function createActivityFeed({
  broker,
  clock,
  onFault,
}: {
  broker: Broker;
  clock: Clock;
  onFault: (error: unknown) => void;
}): ActivityFeed {
  const listeners = new Multimap<ActivityListener>();
  const operators = new Set<ActivityListener>();
  let count = 0;
  /** Set while there are listeners, so that messages take no detour when there are none. */
  let fromBroker: Disposable | undefined;

  function deliver(projectId: string | undefined, activities: () => readonly Activity[]): void {
    const receivers = projectId === undefined ? [...operators] : listeners.of(projectId);
    if (receivers.length === 0) return;
    try {
      const batch = new ActivityBatch(activities());
      for (const listener of receivers) listener.deliver(batch);
    } catch (error) {
      // The action has happened, and must not fail because of a subscription to `activity`.
      onFault(error);
    }
  }

  function listenToBroker(): Disposable {
    return broker.listen({
      deliver(batch) {
        deliver(batch[0]?.projectId, () => batch.map(activityOfMessage));
        return [];
      },
      applySignal(signal) {
        if (signal.kind === 'PRESENCE_CHANGED')
          deliver(signal.projectId, () => [activityOfPresence(signal.change)]);
        if (signal.kind === 'CONNECTION_MESSAGE')
          deliver(signal.projectId, () => [activityOfMessage(signal.message)]);
        return 0;
      },
    });
  }

  function listen(listener: ActivityListener): Disposable {
    listeners.add(listener.projectId, listener);
    if (listener.isOperator) operators.add(listener);
    count++;
    fromBroker ??= listenToBroker();
    return {
      [Symbol.dispose]() {
        if (!listeners.has(listener.projectId, listener)) return;
        listeners.delete(listener.projectId, listener);
        operators.delete(listener);
        if (--count > 0) return;
        fromBroker?.[Symbol.dispose]();
        fromBroker = undefined;
      },
    };
  }

  return {
    report(entry) {
      if (count > 0) deliver(entry.projectId, () => [activityOfAudit(entry, clock.now())]);
    },
    reportConnection(change) {
      if (count > 0) deliver(change.connection.projectId, () => [activityOfConnection(change, clock.now())]);
    },
    open(connection, options) {
      const { channel, identity } = options;
      if (channel !== undefined) parseName('channel', channel, 'channel');
      if (identity !== undefined) parseName('anyIdentity', identity, 'identity');
      const listener = new ActivityListener({ clock, listen }, connection, options);
      if (listeners.countOf(connection.projectId) >= MAX_LISTENERS_PER_PROJECT)
        throw limitExceeded(
          MAX_LISTENERS_PER_PROJECT,
          `At most ${MAX_LISTENERS_PER_PROJECT} subscriptions to the activities of a project may be open.`,
        );
      return new EventStream(connection, listener);
    },
    [Symbol.dispose]: () => fromBroker?.[Symbol.dispose](),
  };
}
