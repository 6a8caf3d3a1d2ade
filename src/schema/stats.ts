import { type Counts } from '../observability/counts.ts';
import {
  MAX_SAMPLES,
  MAX_SERIES,
  STEP_MS,
  type ProcessSample,
  type StatsReading,
  type StatsSample,
  type StoreSize,
} from '../observability/stats.ts';
import { forbidden, type ErrorCode } from '../errors.ts';
import { requireApiKey, type Caller } from '../tokens/caller.ts';
import { builder } from './builder.ts';
import { ErrorCodeEnum } from './enums.ts';

const RefusalCount = builder.objectRef<[ErrorCode, number]>('RefusalCount').implement({
  description: 'How many errors with a code callers received.',
  fields: (t) => ({
    code: t.field({ type: ErrorCodeEnum, description: 'The code.', resolve: ([code]) => code }),
    count: t.float({ description: 'The number of errors.', resolve: ([, count]) => count }),
  }),
});

const StatsCounts = builder.objectRef<Counts>('StatsCounts').implement({
  description:
    'What happened on a node in a period. Each number is a whole number; it is a Float because it can exceed the range of Int.',
  fields: (t) => ({
    publishes: t.exposeFloat('publishes', {
      description: 'Messages published, direct and ephemeral messages included.',
    }),
    deliveries: t.exposeFloat('deliveries', {
      description:
        'Events delivered to WebSocket subscribers: messages, and changes of presence, state and tokens.',
    }),
    replays: t.exposeFloat('replays', {
      description: 'Messages replayed from the log to clients that resumed.',
    }),
    gaps: t.exposeFloat('gaps', {
      description:
        'Events `Gap`, which tell a client that messages after its cursor are missing. Subscribers of `messages` and `directMessages` receive the error POSITION_LOST instead.',
    }),
    slowConsumers: t.exposeFloat('slowConsumers', {
      description: 'Connections closed because the client did not read fast enough.',
    }),
    refusals: t.field({
      type: [RefusalCount],
      description:
        'The errors that callers received, sorted by code; codes that did not occur are absent. Refusals before the project of a caller was known count only for all projects.',
      resolve: ({ refusals }) => [...refusals].sort(([a], [b]) => (a < b ? -1 : 1)),
    }),
  }),
});

const StoreSizeRef = builder.objectRef<StoreSize>('StoreSize').implement({
  description: 'The size of the store.',
  fields: (t) => ({
    databaseBytes: t.exposeFloat('databaseBytes', { description: 'The database, in bytes.' }),
    walBytes: t.float({
      description:
        'The write-ahead log of SQLite, in bytes; 0 on PostgreSQL, whose write-ahead log belongs to the server.',
      resolve: ({ walBytes = 0 }) => walBytes,
    }),
    messages: t.exposeFloat('messages', {
      description:
        'Messages from the oldest to the newest of the log, of all projects; those that a history policy removed in between count as well.',
    }),
  }),
});

const ProcessSampleRef = builder.objectRef<ProcessSample>('ProcessSample').implement({
  description: 'Figures of the process of a node.',
  fields: (t) => ({
    loopLagMs: t.exposeFloat('loopLagMs', {
      description: 'The longest time for which the event loop was blocked during the step, in milliseconds.',
    }),
    store: t.expose('store', {
      type: StoreSizeRef,
      nullable: true,
      description: 'The size of the store at the end of the step; null when it cannot be read.',
    }),
  }),
});

const StatsSampleRef = builder.objectRef<StatsSample>('StatsSample').implement({
  description: `The figures of one step of ${STEP_MS / 1000} seconds.`,
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'The end of the step.' }),
    connections: t.exposeInt('connections', { description: 'The live connections at the end of the step.' }),
    counts: t.expose('counts', { type: StatsCounts, description: 'What happened during the step.' }),
    process: t.expose('process', {
      type: ProcessSampleRef,
      nullable: true,
      description: 'Figures of the process; null for one project, because they depend on other projects.',
    }),
  }),
});

const StatsRef = builder.objectRef<StatsReading>('Stats').implement({
  description:
    'Figures of one node, the one that answers. They are kept in memory and begin again when the node starts.',
  fields: (t) => ({
    node: t.exposeID('nodeId', { description: 'The id of the node; a new one at each start.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When the node started.' }),
    project: t.exposeID('projectId', {
      nullable: true,
      description: 'The id of the project whose figures these are; null: all projects.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'The moment of the answer.' }),
    connections: t.exposeInt('connections', { description: 'The live connections of the node now.' }),
    totals: t.expose('totals', { type: StatsCounts, description: 'What happened since `startedAt`.' }),
    store: t.expose('store', {
      type: StoreSizeRef,
      nullable: true,
      description: 'The size of the store now; null for one project, and when it cannot be read.',
    }),
    series: t.field({
      type: [StatsSampleRef],
      description: `The last hour in steps of ${STEP_MS / 1000} seconds, oldest first: at most ${MAX_SAMPLES} samples. The step that has not ended yet is not included. A node keeps the series of the ${MAX_SERIES} projects that were active last; the series of a project that becomes active again begins anew.`,
      args: { after: t.arg({ type: 'DateTime', description: 'Only samples after this moment.' }) },
      resolve: ({ series }, { after }) => (after == null ? series : series.filter(({ at }) => at > after)),
    }),
  }),
});

builder.queryFields((t) => ({
  stats: t.field({
    type: StatsRef,
    description:
      'Connections, publishes, deliveries, refusals, replays and gaps of the node that answers: now, since its start and in the last hour. For API keys; with `project`, for the operator. Throws UNAUTHENTICATED, FORBIDDEN, NOT_FOUND.',
    args: {
      project: t.arg.id({
        description:
          'The id of the project; absent: the project of the caller, and for the operator all projects.',
      }),
    },
    async resolve(_, { project }, { caller, domain }) {
      const projectId = projectOf(caller, project ?? undefined);
      if (projectId !== undefined) await domain.projects.get(projectId);
      return domain.stats.read(projectId);
    },
  }),
}));

/**
 * The project whose figures the caller may read; undefined: all projects.
 * @throws UNAUTHENTICATED, FORBIDDEN
 */
function projectOf(caller: Caller, projectId: string | undefined): string | undefined {
  requireApiKey(caller, 'READ');
  if (caller.apiKey.operator) return projectId;
  if (projectId !== undefined && projectId !== caller.projectId)
    throw forbidden('Only the operator’s API key may read the figures of another project.');
  return caller.projectId;
}
