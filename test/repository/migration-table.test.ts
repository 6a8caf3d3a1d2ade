import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { read } from '../support/documents.ts';

const schema = buildSchema(read('schema.graphql'));

interface Row {
  vendor: string;
  theirs: string;
  ours: string;
}

/** The rows of the migration tables; the vendor is the head of their first column. */
function readRows(): Row[] {
  const text = /<!-- migration -->([\s\S]*)<!-- \/migration -->/.exec(read('README.md'))?.[1] ?? '';
  return text.split('\n\n').flatMap((table) => {
    const [[vendor = ''] = [], , ...rows] = table
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );
    return rows.map(([theirs = '', ours = '', ...more]) => {
      expect(more, `a row of two cells: ${theirs}`).toEqual([]);
      return { vendor, theirs, ours };
    });
  });
}

const rows = readRows();
const spansOf = (cell: string) => [...cell.matchAll(/(`+)(.+?)\1/g)].map(([, , span = '']) => span);
const isOperation = (span: string) =>
  /^(query|mutation|subscription)\b/.test(span) || /^\{\s*[a-z]\w*\s*[({]/.test(span);
const operations = [...new Set(rows.flatMap(({ ours }) => spansOf(ours).filter(isOperation)))];

test('the README has a migration table for each of the four systems', () => {
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

test('what looks like a call of ours is a whole operation', () => {
  const fields = ['Query', 'Mutation', 'Subscription'].flatMap((name) =>
    Object.keys((schema.getType(name) as { getFields(): object } | undefined)?.getFields() ?? {}),
  );
  const calls = rows.flatMap(({ ours }) => spansOf(ours)).filter((span) => !isOperation(span));
  const partial = calls.filter((span) => fields.some((field) => span.includes(`${field}(`)));
  expect(partial).toEqual([]);
  expect(operations.length).toBeGreaterThan(50);
});

/** The calls of the vendors that a team moves from, as far as they are one call here. */
test.each([
  ['Hop Channels', ['tokens.create', 'subscribeToken', 'publishDirectMessage', 'isOnline', 'STATE_UPDATE']],
  ['Stream Chat', ['createToken', 'tokenProvider', 'devToken', 'setGuestUser', 'connectAnonymousUser']],
  ['Stream Chat', ['revokeUserToken', 'revokeTokens', 'roles and grants']],
  ['Twilio Sync', ['AccessToken', 'identity', 'tokenAboutToExpire', 'updateToken', 'tokenExpired']],
  ['OpenTok', ['generateToken', 'roles', 'connection.data', 'expireTime', 'session.signal']],
  ['OpenTok', ['forceDisconnect', 'forceMuteStream', 'session.connect']],
])('%s: %s', (vendor, calls) => {
  const theirs = rows.filter((row) => row.vendor === vendor).map((row) => row.theirs);
  expect(calls.filter((call) => !theirs.some((cell) => cell.includes(call)))).toEqual([]);
});
