import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCursors, type Cursors } from '../../src/messages/cursor.ts';

const SECRET = new Uint8Array(32).fill(7);
const cursors = createCursors(SECRET);

const position = fc.record({
  epoch: fc.oneof(fc.constantFrom(0, 2 ** 32 - 1), fc.nat({ max: 2 ** 32 - 1 })),
  sequence: fc.oneof(fc.constantFrom(0, 1, 2 ** 48 - 1), fc.nat({ max: 2 ** 48 - 1 })),
});
const project = fc.stringMatching(/^[a-z0-9-]{1,63}$/);

/** Parses a cursor; `refused` stands for BAD_USER_INPUT. */
function read(from: Cursors, projectId: string, text: string) {
  try {
    return from.parse(projectId, text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
    return 'refused';
  }
}

test('parse returns the position of a cursor, and a position always has the same cursor', () => {
  fc.assert(
    fc.property(project, position, (projectId, at) => {
      const cursor = cursors.format(projectId, at);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]{23}$/);
      expect(cursors.parse(projectId, cursor)).toEqual(at);
      // Another instance with the same secret, as after a restart.
      expect(createCursors(SECRET).format(projectId, at)).toBe(cursor);
      expect(createCursors(SECRET).parse(projectId, cursor)).toEqual(at);
    }),
  );
});

test('a cursor is invalid when any one character is changed', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  fc.assert(
    fc.property(project, position, (projectId, at) => {
      const cursor = cursors.format(projectId, at);
      for (let index = 0; index < cursor.length; index++) {
        for (const character of alphabet) {
          if (character === cursor[index]) continue;
          const forged = cursor.slice(0, index) + character + cursor.slice(index + 1);
          expect([undefined, 'refused']).toContain(read(cursors, projectId, forged));
        }
      }
    }),
    { numRuns: 5 },
  );
});

test('parse returns undefined for a cursor of another project or another installation', () => {
  fc.assert(
    fc.property(project, project, position, (projectId, otherProjectId, at) => {
      fc.pre(projectId !== otherProjectId);
      const cursor = cursors.format(otherProjectId, at);
      expect(cursors.parse(projectId, cursor)).toBeUndefined();
      expect(createCursors(new Uint8Array(32).fill(8)).parse(otherProjectId, cursor)).toBeUndefined();
    }),
  );
});

test('parse returns undefined for a forged cursor and throws for a malformed cursor', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const forged = `1${Buffer.from(bytes).toString('base64url')}`;
      expect(cursors.parse('default', forged)).toBeUndefined();
    }),
  );
  const cursor = cursors.format('default', { epoch: 1, sequence: 1 });
  const malformed = [
    '',
    '1',
    cursor.slice(1),
    cursor.slice(0, -1),
    `${cursor}A`,
    `${cursor}\n`,
    ` ${cursor}`,
  ];
  for (const text of [...malformed, cursor.replace('1', '2'), cursor.replace(/.$/, '='), 'toString'])
    expect(read(cursors, 'default', text)).toBe('refused');
});

test('cursors do not reveal the distance between their positions', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), fc.nat({ max: 2 ** 32 - 1 }), (sequence, epoch) => {
      const bits = [sequence, sequence + 1].map((at) =>
        Buffer.from(cursors.format('default', { epoch, sequence: at }).slice(1), 'base64url'),
      );
      // 64 of 128 bits differ on average; fewer than 20 occurs with a probability of 10^-15.
      expect(differingBits(bits[0]!, bits[1]!)).toBeGreaterThan(20);
    }),
  );
});

test('cursors do not sort in log order', () => {
  const inLogOrder = Array.from({ length: 1000 }, (_, sequence) =>
    cursors.format('default', { epoch: 1, sequence }),
  );
  const ascending = inLogOrder.filter((cursor, index) => index > 0 && cursor > inLogOrder[index - 1]!).length;
  expect(ascending).toBeGreaterThan(400);
  expect(ascending).toBeLessThan(600);
  expect(new Set(inLogOrder).size).toBe(1000);
});

function differingBits(a: Buffer, b: Buffer): number {
  return a.reduce((sum, byte, index) => {
    let differing = byte ^ b[index]!;
    let count = 0;
    for (; differing > 0; differing >>= 1) count += differing & 1;
    return sum + count;
  }, 0);
}
