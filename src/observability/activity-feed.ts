import { type Audit } from '../audit.ts';
import { type Broker } from '../broker/broker.ts';
import { type Clock } from '../clock.ts';
import { type Connection } from '../connections/connection.ts';
import { type ConnectionChange } from '../connections/registry.ts';
import { badInput, limitExceeded } from '../errors.ts';
import { parseName } from '../names.ts';
import { Multimap } from '../multimap.ts';
import { TurnQueue } from '../slices.ts';
import { EventStream } from '../subscriptions/event-stream.ts';
import {
  activityOfAudit,
  activityOfConnection,
  activityOfMessage,
  activityOfPresence,
  type Activity,
} from './activity.ts';
import { ActivityGatherer } from './activity-gatherer.ts';
import {
  ACTIVITIES_PER_SECOND,
  ActivityListener,
  MAX_RECENT,
  type ActivityListenerDeps,
  type ActivityListenerOptions,
} from './activity-listener.ts';
import { type DeliveryRecords } from './delivery-records.ts';
import { RecentActivities } from './recent-activities.ts';

/** Subscriptions to the activities of one project that a node serves. Each takes part in every delivery. */
export const MAX_LISTENERS_PER_PROJECT = 50;
/** Deliveries, of a chunk of activities to a subscription each, that are executed in one turn of the event loop at most. */
const MAX_DELIVERIES_PER_TURN = 8;

/**
 * What happens in the projects of this node, as it happens: everything that is written to the audit log, and beside it the
 * changes of connections; messages and presence of all nodes. The newest ones are kept, for subscriptions that begin with them.
 * Without a subscription, a message costs nothing here: it is in the records of deliveries anyway.
 */
export interface ActivityFeed extends Disposable {
  /** Reports what is written to the audit log. */
  readonly report: Audit;
  reportConnection(change: ConnectionChange): void;
  /**
   * The activities of the project of a connection, from now on, after `recent` past ones.
   * @throws UNAUTHENTICATED, FORBIDDEN as `requireActivityRights`
   * @throws LIMIT_EXCEEDED when the project has too many of these subscriptions, BAD_USER_INPUT for a malformed filter
   */
  open(connection: Connection, options: ActivityListenerOptions): EventStream<Activity>;
}

export function createActivityFeed({
  broker,
  records,
  clock,
  onFault,
}: {
  broker: Broker;
  records: Pick<DeliveryRecords, 'newestMessages'>;
  clock: Clock;
  onFault: (error: unknown) => void;
}): ActivityFeed {
  const listeners = new Multimap<ActivityListener>();
  const operators = new Set<ActivityListener>();
  /** The subscriptions that have not ended, by project, with those that have not begun to listen: many can be opened at once. */
  const open = new Multimap<ActivityListener>();
  const gatherers = new Map<string, ActivityGatherer>();
  const turns = new TurnQueue(MAX_DELIVERIES_PER_TURN);
  const kept = new RecentActivities();
  let count = 0;
  /** Set while there are listeners, so that messages take no detour when there are none. */
  let fromBroker: Disposable | undefined;

  function deliver(projectId: string | undefined, activities: readonly Activity[]): void {
    const receivers =
      projectId === undefined ? new Set([...operators].map((operator) => operator.projectId)) : [projectId];
    for (const receiver of receivers) gatherers.get(receiver)?.add(activities);
  }

  /** What is reported has happened, and must not fail because of its activity. */
  function safely(work: () => void): void {
    try {
      work();
    } catch (error) {
      onFault(error);
    }
  }

  /** Keeps an activity, and delivers it to the subscriptions. */
  function add(make: () => Activity): void {
    safely(() => {
      const activity = make();
      kept.add(activity);
      if (count > 0) deliver(activity.projectId, [activity]);
    });
  }

  const recent: ActivityListenerDeps['recent'] = ({ projectId, isOperator }, limit, passes) => {
    const others = kept.of(isOperator ? [projectId, undefined] : [projectId]).filter(passes);
    const messages: { at: number; activity: Activity }[] = [];
    for (const message of records.newestMessages(projectId)) {
      const { senderToken: tokenId, senderIdentity: identity } = message;
      const activity = activityOfMessage({ ...message, sender: { tokenId, identity } });
      if (passes(activity)) messages.push({ at: message.deliveredAt, activity });
      if (messages.length === limit) break;
    }
    return [...others.map((activity) => ({ at: activity.at, activity })), ...messages.reverse()]
      .sort((one, other) => one.at - other.at)
      .slice(-limit)
      .map(({ activity }) => ({ ...activity, isReplayed: true }));
  };

  function gathererOf(projectId: string): ActivityGatherer {
    const gatherer =
      gatherers.get(projectId) ??
      new ActivityGatherer(clock, (chunks) => {
        for (const listener of listeners.of(projectId)) void listener.deliver(chunks).catch(onFault);
      });
    gatherers.set(projectId, gatherer);
    return gatherer;
  }

  function listenToBroker(): Disposable {
    return broker.listen({
      deliver(batch) {
        safely(() => deliver(batch[0]?.projectId, batch.map(activityOfMessage)));
        return [];
      },
    });
  }

  const signals = broker.listen({
    applySignal(signal) {
      if (signal.kind === 'PRESENCE_CHANGED') add(() => activityOfPresence(signal.change));
      // It is in no record of deliveries.
      if (signal.kind === 'CONNECTION_MESSAGE') add(() => activityOfMessage(signal.message));
      return 0;
    },
  });

  const stopped = (listener: ActivityListener) => void open.delete(listener.projectId, listener);

  function listen(listener: ActivityListener): Disposable {
    // What was gathered happened before this subscription.
    gathererOf(listener.projectId).flush();
    listeners.add(listener.projectId, listener);
    if (listener.isOperator) operators.add(listener);
    count++;
    fromBroker ??= listenToBroker();
    return {
      [Symbol.dispose]() {
        if (!listeners.has(listener.projectId, listener)) return;
        listeners.delete(listener.projectId, listener);
        operators.delete(listener);
        if (listeners.countOf(listener.projectId) === 0) {
          gatherers.get(listener.projectId)?.[Symbol.dispose]();
          gatherers.delete(listener.projectId);
        }
        if (--count > 0) return;
        fromBroker?.[Symbol.dispose]();
        fromBroker = undefined;
      },
    };
  }

  return {
    report(entry) {
      add(() => activityOfAudit(entry, clock.now()));
    },
    reportConnection(change) {
      add(() => activityOfConnection(change, clock.now()));
    },
    open(connection, options) {
      const { channel, identity, perSecond, recent: past } = options;
      if (channel !== undefined) parseName('channel', channel, 'channel');
      if (identity !== undefined) parseName('anyIdentity', identity, 'identity');
      if (perSecond < 1 || perSecond > ACTIVITIES_PER_SECOND)
        throw badInput('perSecond', `must be between 1 and ${ACTIVITIES_PER_SECOND}.`);
      if (past < 0 || past > MAX_RECENT) throw badInput('recent', `must be between 0 and ${MAX_RECENT}.`);
      const listener = new ActivityListener({ clock, listen, stopped, recent, turns }, connection, options);
      if (open.countOf(connection.projectId) >= MAX_LISTENERS_PER_PROJECT)
        throw limitExceeded(
          MAX_LISTENERS_PER_PROJECT,
          `At most ${MAX_LISTENERS_PER_PROJECT} subscriptions to the activities of a project may be open.`,
        );
      open.add(connection.projectId, listener);
      const stream = new EventStream(connection, listener);
      if (connection.closed !== undefined) stream.end();
      return stream;
    },
    [Symbol.dispose]() {
      signals[Symbol.dispose]();
      fromBroker?.[Symbol.dispose]();
      for (const gatherer of gatherers.values()) gatherer[Symbol.dispose]();
    },
  };
}
