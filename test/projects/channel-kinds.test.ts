import pg from 'pg';
import { expect, test, type TestContext } from 'vitest';
import { type Caller } from '../../src/tokens/caller.ts';
import { createChannel } from '../support/backend.ts';
import { countWaiting } from '../support/locked-table.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import { askSettings, changeSettings, codeOf } from '../support/projects.ts';
import { startService, startServiceOnPostgres, type ServiceClient } from '../support/service.ts';

/** How many turns of the microtask queue one operation starts after the other: every interleaving up to 40 turns. */
const OFFSETS = Array.from({ length: 81 }, (_, index) => index - 40);
const SECRET = { name: 'secret', type: 'PRIVATE' } as const;
const KINDS = { permissions: { roles: [], kinds: [SECRET], stated: [] } };
const NO_KINDS = { permissions: { roles: [], kinds: [], stated: [] } };
const PUBLIC_KIND = {
  permissions: { roles: [], kinds: [{ ...SECRET, type: 'PUBLIC' as const }], stated: [] },
};
const OF_KIND = { kind: SECRET.name };

async function after<T>(offset: number, work: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < offset; turn++) await Promise.resolve();
  return work();
}

test.for([
  ['removed', NO_KINDS],
  ['given another type', PUBLIC_KIND],
] as const)(
  'every channel has a kind of the project, and its type, when the kind is %s while a channel is created or updated',
  async ([, removal]) => {
    await using signalbox = await startService();
    const { domain } = signalbox.service;
    const backend: Caller = await domain.authenticate.apiKey(signalbox.apiKey);
    const outcomes = new Set<string>();
    for (const offset of OFFSETS) {
      const [id, existing] = [`new:${offset}`, `existing:${offset}`];
      await createChannel(signalbox, existing);
      const changes: (() => Promise<unknown>)[] = [
        () => domain.channels.create(backend, { id, ...OF_KIND }),
        () => domain.channels.update(backend, existing, OF_KIND),
      ];
      for (const change of changes) {
        await domain.projects.update('default', KINDS);
        const results = await Promise.allSettled([
          after(-offset, change),
          after(offset, () => domain.projects.update('default', removal)),
        ]);
        outcomes.add(results.map(({ status }) => status).join());
        const { kinds } = (await domain.projects.get('default')).settings.permissions;
        for (const channel of [id, existing]) {
          const found = await domain.channels.find('default', channel);
          if (!found || found.kind === null) continue;
          expect(kinds, `offset ${offset}`).toContainEqual({ name: found.kind, type: found.type });
          await domain.channels.remove(backend, channel);
        }
      }
    }
    // Either was first.
    expect(outcomes.size).toBeGreaterThan(1);
    expect(outcomes).toContain('fulfilled,rejected');
  },
);

/** Two nodes on a new database that has the kind and a channel without one, and a session that holds locks. */
async function startTwoNodes(context: TestContext) {
  requirePostgres(context);
  const url = await (await sharedPostgres()).createDatabase();
  const [first, second] = [await startServiceOnPostgres(url), await startServiceOnPostgres(url)];
  await changeSettings(first, KINDS);
  await createChannel(first, 'existing');
  return {
    first,
    second,
    async hold(statement: string): Promise<() => Promise<void>> {
      const holder = new pg.Client({ connectionString: url });
      await holder.connect();
      await holder.query(`BEGIN; ${statement}`);
      return () => holder.end();
    },
    waiting: (count: number) => expect.poll(() => countWaiting(url)).toBe(count),
    async [Symbol.asyncDispose]() {
      await second[Symbol.asyncDispose]();
      await first[Symbol.asyncDispose]();
    },
  };
}

const CHANGES: Record<string, (node: ServiceClient) => Promise<unknown>> = {
  createChannel: async ({ ask }) =>
    codeOf(await ask('mutation { createChannel(input: { id: "new", kind: "secret" }) { id } }')),
  updateChannel: async ({ ask }) =>
    codeOf(await ask('mutation { updateChannel(id: "existing", input: { kind: "secret" }) { id } }')),
};

test.for(Object.entries(CHANGES))(
  'updateProject keeps the kind of a channel that %s of another node writes at the same time',
  async ([, change], context) => {
    await using nodes = await startTwoNodes(context);
    const { first, second, hold, waiting } = nodes;
    const release = await hold('LOCK TABLE channels IN SHARE MODE');
    const changing = change(second);
    await waiting(1);
    const removing = askSettings(first, NO_KINDS).then(codeOf);
    await Promise.race([removing, waiting(2)]);
    await release();
    expect(await Promise.all([changing, removing])).toEqual([undefined, 'CONFLICT']);
  },
);

test.for(Object.entries(CHANGES))(
  '%s refuses a kind that another node removes at the same time, and does not wait without a kind',
  async ([, change], context) => {
    await using nodes = await startTwoNodes(context);
    const { first, second, hold, waiting } = nodes;
    const release = await hold('SELECT FROM projects FOR UPDATE');
    const removing = askSettings(first, NO_KINDS).then(codeOf);
    await waiting(1);
    const changing = change(second);
    await Promise.race([changing, waiting(2)]);
    await createChannel(second, 'hall');
    await second.request('mutation { updateChannel(id: "hall", input: { type: PUBLIC }) { id } }');
    await release();
    expect(await Promise.all([changing, removing])).toEqual(['BAD_USER_INPUT', undefined]);
  },
);
