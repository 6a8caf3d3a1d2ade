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

/** The characters that Twilio reserves. */
const RESERVED = Array.from("!*'();:@&=+$,/?%#[]");

const CREATE = `mutation ($identity: String) { createToken(input: { identity: $identity }) { token { identity } credential } }`;
const VIEWER = `{ viewer { token { identity } } }`;

/** Creates a token with the identity. Resolves to the stored identity, or to the error message. */
async function createWith({ ask }: ServiceClient, identity: string): Promise<string> {
  const { data, errors } = await ask(CREATE, { identity });
  if (!errors) return data.createToken.token.identity;
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.identity' });
  return errors[0]!.message;
}

/** Presents a credential. Resolves to the identity of its token, or to the error message. */
async function present({ ask }: ServiceClient, credential: string): Promise<string> {
  const { data, errors } = await ask(VIEWER, {}, credential);
  if (!errors) return data.viewer.token.identity;
  expect(codeOf({ errors })).toBe('UNAUTHENTICATED');
  return errors[0]!.message;
}

const signed = (sub: string) => sign(signingKeyOf(API_KEY), { sub });
const at = (character: string, position: number) =>
  `has ${JSON.stringify(character)} at position ${position};`;

test('refuses each character that Twilio reserves in an identity, and names the first one and its position', async () => {
  await using signalbox = await startService();
  for (const character of RESERVED) {
    expect(await createWith(signalbox, `ada${character}1${character}`)).toContain(at(character, 3));
    expect(await present(signalbox, await signed(`${character}ada`))).toContain(at(character, 0));
  }
  expect(await createWith(signalbox, 'auth0|ada_L.1~-')).toBe('auth0|ada_L.1~-');
  expect((await signalbox.request(`{ tokens { nodes { identity } } }`)).tokens.nodes).toHaveLength(1);
});

test('accepts @ and + in identities, but no other reserved character, when the project enables emailIdentities', async () => {
  await using signalbox = await startService();
  await changeSettings(signalbox, { emailIdentities: true });
  const address = 'ada+news@example.org';
  const { credential } = (await signalbox.request(CREATE, { identity: address })).createToken;
  expect(await present(signalbox, await signed(address))).toBe(address);
  for (const character of RESERVED.filter((one) => !'@+'.includes(one))) {
    expect(await createWith(signalbox, `ada@${character}`)).toContain(at(character, 4));
    expect(await present(signalbox, await signed(`ada@${character}`))).toContain(at(character, 4));
  }
  await changeSettings(signalbox, { emailIdentities: false });
  expect(await createWith(signalbox, address)).toContain(at('+', 3));
  expect(await present(signalbox, await signed(address))).toContain(at('+', 3));
  // Existing tokens keep their identity.
  expect(await present(signalbox, credential)).toBe(address);
});

test('accepts any visible characters but the prefix of guests from Stream, and e-mail addresses from Twilio when the project enables emailIdentities', async () => {
  using clock = createSystemClock();
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, STREAM);
  await createIssuer(signalbox, TWILIO);
  for (const identity of ['ada@example.org', 'ada+1']) {
    expect(await present(signalbox, stream.createToken(identity))).toBe(identity);
    expect(await present(signalbox, mintTwilio({ identity }))).toContain('at position 3;');
  }
  for (const identity of ['ada/1', 'ada:1', "o'ada"]) {
    expect(await present(signalbox, stream.createToken(identity))).toBe(identity);
    expect(await present(signalbox, mintTwilio({ identity }))).toContain('at position');
  }
  expect(await present(signalbox, stream.createToken('guest:ada'))).toContain('must not begin with guest:');
  await changeSettings(signalbox, { emailIdentities: true });
  expect(await present(signalbox, mintTwilio({ identity: 'ada@example.org' }))).toBe('ada@example.org');
});
