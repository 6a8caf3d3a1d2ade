import { expect, test } from 'vitest';
import { changeSettings, codeOf } from '../support/projects.ts';
import {
  createIssuer,
  createSystemClock,
  mintTwilio,
  sign,
  signingKeyOf,
  STREAM,
  stream,
  TWILIO,
} from '../support/external-credentials.ts';
import { API_KEY, startService, type ServiceClient } from '../support/service.ts';

/** Twilio’s list. */
const RESERVED = Array.from("!*'();:@&=+$,/?%#[]");

const CREATE = `mutation ($identity: String) { createToken(input: { identity: $identity }) { token { identity } credential } }`;
const WHO = `{ viewer { token { identity } } }`;

/** Whom a token names that a backend makes, or why it is refused. */
async function made({ ask }: ServiceClient, identity: string): Promise<string> {
  const { data, errors } = await ask(CREATE, { identity });
  if (!errors) return data.createToken.token.identity;
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.identity' });
  return errors[0]!.message;
}

/** Whom a credential names that somebody signed, or why it is refused. */
async function presented({ ask }: ServiceClient, credential: string): Promise<string> {
  const { data, errors } = await ask(WHO, {}, credential);
  if (!errors) return data.viewer.token.identity;
  expect(codeOf({ errors })).toBe('UNAUTHENTICATED');
  return errors[0]!.message;
}

const signed = (sub: string) => sign(signingKeyOf(API_KEY), { sub });
const at = (character: string, position: number) =>
  `has ${JSON.stringify(character)} at position ${position};`;

test('none of the characters that Twilio reserves is in an identity, and the first one is named with its place', async () => {
  await using signalbox = await startService();
  for (const character of RESERVED) {
    expect(await made(signalbox, `ada${character}1${character}`)).toContain(at(character, 3));
    expect(await presented(signalbox, await signed(`${character}ada`))).toContain(at(character, 0));
  }
  expect(await made(signalbox, 'auth0|ada_L.1~-')).toBe('auth0|ada_L.1~-');
  expect((await signalbox.request(`{ tokens { nodes { identity } } }`)).tokens.nodes).toHaveLength(1);
});

test('where a project lets identities be e-mail addresses, @ and + are in them and nothing else is', async () => {
  await using signalbox = await startService();
  await changeSettings(signalbox, { emailIdentities: true });
  const address = 'ada+news@example.org';
  const { credential } = (await signalbox.request(CREATE, { identity: address })).createToken;
  expect(await presented(signalbox, await signed(address))).toBe(address);
  for (const character of RESERVED.filter((one) => !'@+'.includes(one))) {
    expect(await made(signalbox, `ada@${character}`)).toContain(at(character, 4));
    expect(await presented(signalbox, await signed(`ada@${character}`))).toContain(at(character, 4));
  }
  await changeSettings(signalbox, { emailIdentities: false });
  expect(await made(signalbox, address)).toContain(at('+', 3));
  expect(await presented(signalbox, await signed(address))).toContain(at('+', 3));
  // Who has such a name already keeps it.
  expect(await presented(signalbox, credential)).toBe(address);
});

test('what Stream’s users are called they are called here, and Twilio’s as the project says', async () => {
  using clock = createSystemClock();
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, STREAM);
  await createIssuer(signalbox, TWILIO);
  for (const identity of ['ada@example.org', 'ada+1']) {
    expect(await presented(signalbox, stream.createToken(identity))).toBe(identity);
    expect(await presented(signalbox, mintTwilio({ identity }))).toContain('at position 3;');
  }
  for (const identity of ['ada/1', 'ada:1', 'guest:ada'])
    expect(await presented(signalbox, stream.createToken(identity))).toContain('at position');
  await changeSettings(signalbox, { emailIdentities: true });
  expect(await presented(signalbox, mintTwilio({ identity: 'ada@example.org' }))).toBe('ada@example.org');
});
