import { createHash } from 'node:crypto';
import { type IssuerKey } from './issuer.ts';
import { unsigned, verifyHmac } from './jwt.ts';
import { type OpentokFields, readOpentokFields } from './opentok-claims.ts';
import { isT1SignedWith, parseForm, parseT1, T1_PREFIX } from './t1.ts';
import { type Verify } from './verify.ts';
import { refused } from '../credential-errors.ts';

/** A connection token of OpenTok, `T1==` or JWT. It is one client's: each has a record of its own. See Verify. */
export const verifyOpentok: Verify = async (credential, _issuer, keys, at) => {
  const { fields, signed, key } = credential.startsWith(T1_PREFIX)
    ? verifyT1(credential, keys)
    : await verifyJwt(credential, keys);
  // Not of the whole: the same token can be spelled with another head or header of the signature.
  const subject = createHash('sha256').update(signed).digest('base64url');
  return { claims: { ...readOpentokFields(fields, key.id, at.now), subject, isOneCredential: true }, key };
};

interface Signed {
  fields: OpentokFields;
  signed: string | Buffer;
  key: IssuerKey;
}

async function verifyJwt(credential: string, keys: readonly IssuerKey[]): Promise<Signed> {
  const { payload, key } = await verifyHmac(credential, keys, ['HS256']);
  if (payload['iss'] !== key.id) throw refused('its “iss” is not the key that signed it');
  // The token for the REST API is signed with the same secret and differs in this.
  if (payload['scope'] === undefined) throw refused('it has no “scope”');
  return { fields: payload, signed: credential.slice(0, credential.lastIndexOf('.')), key };
}

function verifyT1(credential: string, keys: readonly IssuerKey[]): Signed {
  const t1 = parseT1(credential);
  const key = keys.find(({ id, key }) => id === t1.partnerId && isT1SignedWith(key, t1));
  if (!key) throw unsigned();
  const form = parseForm(t1.signed);
  const fields = {
    session_id: form.get('session_id'),
    create_time: numberOf(form.get('create_time')),
    expire_time: numberOf(form.get('expire_time')),
    role: roleOf(form),
    connection_data: form.get('connection_data'),
    scope: form.get('scope'),
  };
  return { fields, signed: t1.signed, key };
}

/** The oldest SDKs listed permissions and knew no roles; a form with both was tampered with. */
function roleOf(form: ReadonlyMap<string, string>): string | undefined {
  if (!form.has('permissions')) return form.get('role');
  if (form.has('role')) throw refused('it has both a “role” and “permissions”');
  return 'publisher';
}

const SECONDS = /^\d{1,12}(\.\d{1,9})?$/;

/** A form has text only. What is no number stays as it is, to be refused as such. */
function numberOf(text: string | undefined): number | string | undefined {
  return text !== undefined && SECONDS.test(text) ? Number(text) : text;
}
