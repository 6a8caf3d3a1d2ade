import { expect, test } from 'vitest';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

/** Every page of a list, as ids. */
async function pages({ request }: TestService, args: string, first: number): Promise<string[][]> {
  const found: string[][] = [];
  for (let after: string | null = null; ;) {
    const { tokens }: any = await request(
      `query ($after: String) { tokens(first: ${first}, after: $after${args}) { nodes { id } edges { cursor } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    found.push(tokens.nodes.map(({ id }: { id: string }) => id));
    expect(tokens.pageInfo.endCursor).toBe(tokens.edges.at(-1)?.cursor ?? null);
    if (!tokens.pageInfo.hasNextPage) return found;
    after = tokens.pageInfo.endCursor;
  }
}

test('hundreds of tokens are listed page by page, by identity and by whether they are online', async () => {
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
  const here = all.filter((_, n) => n % 100 === 0 || n === 249);
  for (const { credential } of here)
    await queueResults(signalbox.client({ token: credential }), `subscription { events { at } }`).next();
  const away = all.filter((token) => !here.includes(token));

  const everyone = await pages(signalbox, '', 100);
  expect(everyone.map((page) => page.length)).toEqual([100, 100, 50]);
  expect(everyone.flat()).toEqual(ids(all));
  const ada = all.filter(({ identity }) => identity === 'ada');
  expect((await pages(signalbox, ', identity: "ada"', 2)).map((page) => page.length)).toEqual([2, 2, 1]);
  expect((await pages(signalbox, ', identity: "ada"', 100)).flat()).toEqual(ids(ada));

  const online = await pages(signalbox, ', online: true', 3);
  expect(online.map((page) => page.length)).toEqual([3, 1]);
  expect(online.flat()).toEqual(ids(here));
  const offline = await pages(signalbox, ', online: false', 100);
  expect(offline.map((page) => page.length)).toEqual([100, 100, 46]);
  expect(offline.flat()).toEqual(ids(away));
  expect((await pages(signalbox, ', online: true, identity: "ada"', 100)).flat()).toEqual(
    ids(here.filter((token) => ada.includes(token))),
  );
  expect(await pages(signalbox, ', identity: "nobody"', 100)).toEqual([[]]);
});

test.for([
  ['first: 0', 'first'],
  ['first: 101', 'first'],
  ['after: "no cursor!"', 'after'],
])('a list refuses %s', async ([args, field]) => {
  await using signalbox = await startService();
  const { errors } = await signalbox.ask(`{ tokens(${args!}) { nodes { id } } }`);
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
});
