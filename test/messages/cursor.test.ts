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

/** What becomes of a cursor; `refused` is BAD_USER_INPUT. */
function read(from: Cursors, projectId: string, text: string) {
  try {
    return from.parse(projectId, text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
    return 'refused';
  }
}

test('every position comes back from its cursor, and always has the same one', () => {
  fc.assert(
    fc.property(project, position, (projectId, at) => {
      const cursor = cursors.format(projectId, at);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]{23}$/);
      expect(cursors.parse(projectId, cursor)).toEqual(at);
      // As after a restart: another instance with the same secret.
      expect(createCursors(SECRET).format(projectId, at)).toBe(cursor);
      expect(createCursors(SECRET).parse(projectId, cursor)).toEqual(at);
    }),
  );
});

test('a cursor with any one character changed opens nothing', () => {
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

test('a cursor of another project or another installation is of no log here', () => {
  fc.assert(
    fc.property(project, project, position, (mine, theirs, at) => {
      fc.pre(mine !== theirs);
      const cursor = cursors.format(theirs, at);
      expect(cursors.parse(mine, cursor)).toBeUndefined();
      expect(createCursors(new Uint8Array(32).fill(8)).parse(theirs, cursor)).toBeUndefined();
    }),
  );
});

test('what is made up is of no log; what is no cursor at all is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const madeUp = `1${Buffer.from(bytes).toString('base64url')}`;
      expect(cursors.parse('default', madeUp)).toBeUndefined();
    }),
  );
  const cursor = cursors.format('default', { epoch: 1, sequence: 1 });
  const none = ['', '1', cursor.slice(1), cursor.slice(0, -1), `${cursor}A`, `${cursor}\n`, ` ${cursor}`];
  for (const text of [...none, cursor.replace('1', '2'), cursor.replace(/.$/, '='), 'toString'])
    expect(read(cursors, 'default', text)).toBe('refused');
});

test('cursors say nothing of how far apart their positions are', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), fc.nat({ max: 2 ** 32 - 1 }), (sequence, epoch) => {
      const bits = [sequence, sequence + 1].map((at) =>
        Buffer.from(cursors.format('default', { epoch, sequence: at }).slice(1), 'base64url'),
      );
      // 64 of 128 on average; fewer than 20 happens once in 10^15.
      expect(differingBits(bits[0]!, bits[1]!)).toBeGreaterThan(20);
    }),
  );
});

test('cursors in the order of the log are in no order themselves', () => {
  const inLogOrder = Array.from({ length: 1000 }, (_, sequence) =>
    cursors.format('default', { epoch: 1, sequence }),
  );
  const rising = inLogOrder.filter((cursor, index) => index > 0 && cursor > inLogOrder[index - 1]!).length;
  expect(rising).toBeGreaterThan(400);
  expect(rising).toBeLessThan(600);
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
