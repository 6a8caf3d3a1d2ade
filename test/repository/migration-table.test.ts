import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { read } from '../support/documents.ts';

const schema = buildSchema(read('schema.graphql'));

interface Row {
  vendor: string;
  /** The call as the vendor's SDK has it. */
  call: string;
  replacement: string;
}

const PAGES = ['hop', 'stream', 'twilio', 'opentok'] as const;

/** The rows of the table “Call by call” of a migration guide; the vendor is the head of its first column. */
function readRows(page: (typeof PAGES)[number]): Row[] {
  const [, table = ''] = read(`docs/migrating/${page}.md`).split('## Call by call\n');
  const [[vendor = ''] = [], , ...rows] = table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  return rows.map(([call = '', replacement = '', ...more]) => {
    expect(more, `a row of two cells: ${call}`).toEqual([]);
    return { vendor, call, replacement };
  });
}

const rows = PAGES.flatMap(readRows);
const spansOf = (cell: string) => [...cell.matchAll(/(`+)(.+?)\1/g)].map(([, , span = '']) => span);
const isOperation = (span: string) =>
  /^(query|mutation|subscription)\b/.test(span) || /^\{\s*[a-z]\w*\s*[({]/.test(span);
const operations = [...new Set(rows.flatMap(({ replacement }) => spansOf(replacement).filter(isOperation)))];

test('there is a migration table for each of the four systems', () => {
  expect([...new Set(rows.map(({ vendor }) => vendor))]).toEqual([
    'Hop Channels',
    'Stream Chat',
    'Twilio Sync',
    'OpenTok',
  ]);
  expect(rows.length).toBeGreaterThan(45);
});

test.each(operations)('%s is valid', (operation) => {
  expect(validate(schema, parse(operation)).map(({ message }) => message)).toEqual([]);
});

test('every replacement that looks like an operation is a whole operation', () => {
  const fields = ['Query', 'Mutation', 'Subscription'].flatMap((name) =>
    Object.keys((schema.getType(name) as { getFields(): object } | undefined)?.getFields() ?? {}),
  );
  const calls = rows.flatMap(({ replacement }) => spansOf(replacement)).filter((span) => !isOperation(span));
  const partial = calls.filter((span) => fields.some((field) => span.includes(`${field}(`)));
  expect(partial).toEqual([]);
  expect(operations.length).toBeGreaterThan(50);
});

/** Calls of each vendor that the table must cover. */
test.each([
  ['Hop Channels', ['tokens.create', 'subscribeToken', 'publishDirectMessage', 'isOnline', 'STATE_UPDATE']],
  ['Stream Chat', ['createToken', 'tokenProvider', 'devToken', 'setGuestUser', 'connectAnonymousUser']],
  ['Stream Chat', ['revokeUserToken', 'revokeTokens', 'roles and grants']],
  ['Twilio Sync', ['AccessToken', 'identity', 'tokenAboutToExpire', 'updateToken', 'tokenExpired']],
  ['OpenTok', ['generateToken', 'roles', 'connection.data', 'expireTime', 'session.signal']],
  ['OpenTok', ['forceDisconnect', 'forceMuteStream', 'session.connect']],
])('the table of %s covers %s', (vendor, calls) => {
  const covered = rows.filter((row) => row.vendor === vendor).map((row) => row.call);
  expect(calls.filter((call) => !covered.some((cell) => cell.includes(call)))).toEqual([]);
});
