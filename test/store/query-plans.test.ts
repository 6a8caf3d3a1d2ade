import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ACCEPTED_CALLERS, type AcceptedName } from '../authorization-matrix/callers.ts';
import { CALLS } from '../authorization-matrix/calls.ts';
import { createFixture, SparePool } from '../authorization-matrix/fixture.ts';
import { expectedRefusal } from '../authorization-matrix/rules.ts';
import { callByHttp, callOnSocket, openSocketFor } from '../authorization-matrix/transports.ts';
import { createManualClock } from '../support/clock.ts';
import { startService } from '../support/service.ts';

/**
 * Tables that a statement may read from the first row to the last: those of SQLite and of drizzle, and those that are
 * small in every deployment (one row for each signing key, project or log).
 */
const SMALL = ['sqlite_master', '__drizzle_migrations', 'json_each', 'signing_keys', 'projects', 'logs'];
const HOUR_MS = 3_600_000;

const { prototype } = Database;
const { prepare } = prototype;
/** The plan of each statement of data that was prepared, by its text. */
let plans: Map<string, string[]>;

beforeEach(() => {
  plans = new Map();
  prototype.prepare = function (this: Database.Database, text: string) {
    if (/^\s*(select|insert|update|delete|with)\b/i.test(text) && !plans.has(text))
      plans.set(text, planOf(this, text));
    return prepare.call(this, text);
  } as typeof prepare;
});
afterEach(() => {
  prototype.prepare = prepare;
});

function planOf(database: Database.Database, text: string): string[] {
  const explain = prepare.call(database, `EXPLAIN QUERY PLAN ${text}`);
  const parameters = Array.from(text.match(/\?/g) ?? [], () => null);
  return (explain.all(parameters) as { detail: string }[]).map(({ detail }) => detail);
}

/** drizzle-kit quotes names with backticks, drizzle with double quotes. */
const isMigration = (text: string) => text.includes('`');

/** The statements that read a table from the first row to the last, with their plans. */
function scans(): [string, string[]][] {
  return [...plans].filter(
    ([text, plan]) =>
      !isMigration(text) &&
      plan.some((step) => {
        const table = /^SCAN (\w+)/.exec(step)?.[1];
        return table !== undefined && !SMALL.includes(table);
      }),
  );
}

test('no call of the API reads a whole table', async () => {
  await using fixture = await createFixture();
  const { signalbox, credentials } = fixture;
  for (const name of ['the operator’s key', 'a moderator'] satisfies AcceptedName[]) {
    using socket = await openSocketFor(signalbox, credentials[name]);
    for (const call of CALLS) {
      if (expectedRefusal(call, ACCEPTED_CALLERS[name], 'room', call.isLive ?? false) !== null) continue;
      using sparePool = new SparePool(fixture);
      const args = await fixture.argsOf(call, 'room', credentials[name], sparePool);
      await (call.isLive
        ? callOnSocket(socket, call, args)
        : callByHttp(signalbox, credentials[name], call, args));
    }
  }
  expect(scans()).toEqual([]);
  expect(plans.size).toBeGreaterThan(50);
});

test('the token sweeper reads no whole table', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ leaseMs: 300_000, purgeIntervalMs: 7_200_000 }, { clock });
  await signalbox.request('mutation { updateProject(settings: { guests: true }) { id } }');
  await signalbox.request('mutation { createGuest { token { id } } }');
  await clock.advance(26 * HOUR_MS);
  await signalbox.service.tokenSweeper.sweep();
  expect([...plans.keys()].some((text) => text.startsWith('delete from "tokens"'))).toBe(true);
  expect(scans()).toEqual([]);
});
