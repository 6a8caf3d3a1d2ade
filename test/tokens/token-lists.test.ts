import { expect, test } from 'vitest';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

/** Reads all pages of `tokens`, as ids. */
async function readPages({ request }: TestService, args: string, first: number): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: string | null = null; ;) {
    const { tokens }: any = await request(
      `query ($after: String) { tokens(first: ${first}, after: $after${args}) { nodes { id } edges { cursor } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    pages.push(tokens.nodes.map(({ id }: { id: string }) => id));
    expect(tokens.pageInfo.endCursor).toBe(tokens.edges.at(-1)?.cursor ?? null);
    if (!tokens.pageInfo.hasNextPage) return pages;
    after = tokens.pageInfo.endCursor;
  }
}

test('lists 250 tokens page by page, filtered by identity and by online', async () => {
  await using signalbox = await startService();
  const all: { id: string; credential: string; identity: string }[] = [];
  for (let start = 0; start < 250; start += 25) {
    const fields = Array.from({ length: 25 }, (_, n) => {
      const identity = (start + n) % 50 === 0 ? 'ada' : 'bob';
      return `t${n}: createToken(input: { identity: "${identity}" }) { credential token { id identity } }`;
    });
    const minted = await signalbox.request<Record<string, any>>(`mutation { ${fields.join(' ')} }`);
    all.push(...Object.values(minted).map(({ credential, token }) => ({ credential, ...token })));
  }
  const ids = (tokens: { id: string }[]) => tokens.map(({ id }) => id).sort();
  const onlineTokens = all.filter((_, n) => n % 100 === 0 || n === 249);
  for (const { credential } of onlineTokens)
    await queueResults(signalbox.client({ token: credential }), `subscription { events { at } }`).next();
  const offlineTokens = all.filter((token) => !onlineTokens.includes(token));

  const everyone = await readPages(signalbox, '', 100);
  expect(everyone.map((page) => page.length)).toEqual([100, 100, 50]);
  expect(everyone.flat()).toEqual(ids(all));
  const ada = all.filter(({ identity }) => identity === 'ada');
  expect((await readPages(signalbox, ', identity: "ada"', 2)).map((page) => page.length)).toEqual([2, 2, 1]);
  expect((await readPages(signalbox, ', identity: "ada"', 100)).flat()).toEqual(ids(ada));

  const online = await readPages(signalbox, ', online: true', 3);
  expect(online.map((page) => page.length)).toEqual([3, 1]);
  expect(online.flat()).toEqual(ids(onlineTokens));
  const offline = await readPages(signalbox, ', online: false', 100);
  expect(offline.map((page) => page.length)).toEqual([100, 100, 46]);
  expect(offline.flat()).toEqual(ids(offlineTokens));
  expect((await readPages(signalbox, ', online: true, identity: "ada"', 100)).flat()).toEqual(
    ids(onlineTokens.filter((token) => ada.includes(token))),
  );
  expect(await readPages(signalbox, ', identity: "nobody"', 100)).toEqual([[]]);
});

test.for([
  ['first: 0', 'first'],
  ['first: 101', 'first'],
  ['after: "no cursor!"', 'after'],
])('tokens refuses the argument %s', async ([args, field]) => {
  await using signalbox = await startService();
  const { errors } = await signalbox.ask(`{ tokens(${args!}) { nodes { id } } }`);
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
});
