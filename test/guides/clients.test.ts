import { buildSchema, isAbstractType, isScalarType, isSpecifiedScalarType } from 'graphql';
import { expect, test } from 'vitest';
import { createChannel, mint, publish } from '../support/backend.ts';
import { createScripts, DOCUMENTED_ADDRESS, namedBlock } from '../support/code-blocks.ts';
import { read } from '../support/documents.ts';
import { createProxy } from '../support/proxy.ts';
import { startService } from '../support/service.ts';

const GUIDE = 'docs/guides/clients.md';
const ROUNDS = 5;

/** The name of the script of each library, and the lines that it prints before its first event. */
const LIBRARIES = [
  ['plain', []],
  ['apollo', [{ kind: 'TOKEN' }]],
  ['urql', [{ kind: 'TOKEN' }]],
] as const;

test.each(LIBRARIES)(
  '%s.mjs receives each message once and in order across cuts of its connection',
  async (library, answers) => {
    await using service = await startService();
    await createChannel(service, 'lobby');
    const { credential, id } = await mint(service, { channels: ['lobby'] });
    await using proxy = await createProxy(Number(new URL(service.url).port));
    using scripts = createScripts();
    const names = library === 'plain' ? ['plain.mjs'] : ['connection.mjs', `${library}.mjs`];
    for (const name of names)
      scripts.write(name, namedBlock(GUIDE, name).replaceAll(DOCUMENTED_ADDRESS, `127.0.0.1:${proxy.port}`));

    await using script = scripts.start(`${library}.mjs`, [credential]);
    for (const answer of answers) expect(await script.next()).toMatchObject(answer);
    expect(await script.next()).toMatchObject({ __typename: 'Connected', resumed: false });
    for (let round = 0; round < ROUNDS; round++) {
      const eventOf = async () => (await script.next()).message?.event;
      await publish(service, 'lobby', `live-${round}`);
      expect(await eventOf()).toBe(`live-${round}`);
      proxy.cut();
      await publish(service, 'lobby', `away-${round}`);
      await service.request(
        `mutation ($token: ID!, $event: String!) { publishDirectMessage(token: $token, event: $event) { repeated } }`,
        { token: id, event: `direct-${round}` },
      );
      expect(await script.next()).toMatchObject({ __typename: 'Connected', resumed: true });
      expect([await eventOf(), await eventOf()]).toEqual([`away-${round}`, `direct-${round}`]);
    }
    expect(proxy.cuts).toBeGreaterThanOrEqual(ROUNDS);
  },
);

test('the scalars and possible types of the guide are those of the schema', () => {
  const schema = buildSchema(read('schema.graphql'));
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
  const scalars = types.filter((type) => isScalarType(type) && !isSpecifiedScalarType(type));
  const [, documented = ''] = /scalars: \{(.*)\}/.exec(namedBlock(GUIDE, 'codegen.ts')) ?? [];
  expect([...documented.matchAll(/(\w+):/g)].map(([, name]) => name)).toEqual(
    scalars.map(({ name }) => name),
  );
  const abstract = types.filter(isAbstractType);
  expect(JSON.parse(namedBlock(GUIDE, 'possibleTypes'))).toEqual(
    Object.fromEntries(
      abstract.map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
    ),
  );
});
