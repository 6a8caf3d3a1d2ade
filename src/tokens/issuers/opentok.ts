import { createHash } from 'node:crypto';
import { type IssuerKey } from './issuer.ts';
import { invalidSignature, verifyWithKeys } from './jwt.ts';
import { type OpentokFields, readOpentokFields } from './opentok-claims.ts';
import { isT1SignedWith, parseForm, parseT1, T1_PREFIX } from './t1.ts';
import { type Verify } from './verify.ts';
import { refused } from '../credential-errors.ts';

/**
 * Verifies an OpenTok connection token in either format of `generateToken()` of npm `opentok`: an HS256 JWT whose `iss` is
 * the API key, or `T1==` (see T1). Both are signed with the API secret. The tokens of Vonage, OpenTok's successor, are RS256
 * JWTs that name an application instead. A token names a session but no user, so every token has a record of its own. See
 * Verify.
 */
export const verifyOpentok: Verify = async (credential, _issuer, keys, context) => {
  const { fields, signed, key } = credential.startsWith(T1_PREFIX)
    ? verifyT1(credential, keys)
    : await verifyJwt(credential, keys);
  // Hash the signed bytes, not the credential: the unsigned head of a T1 token may be spelled in several ways.
  const subject = createHash('sha256').update(signed).digest('base64url');
  return {
    claims: { ...readOpentokFields(fields, key, context.now), subject, isSingleCredential: true },
    key,
  };
};

interface VerifiedFields {
  fields: OpentokFields;
  /** The bytes that the signature covers. */
  signed: string | Buffer;
  key: IssuerKey;
}

async function verifyJwt(credential: string, keys: readonly IssuerKey[]): Promise<VerifiedFields> {
  const { payload, key } = await verifyWithKeys(credential, keys, ({ type }) =>
    type === 'public' ? ['RS256'] : ['HS256'],
  );
  if (key.key.type === 'public') {
    if (payload['application_id'] !== key.id)
      throw refused('its “application_id” must be the application whose key signed it');
  } else if (payload['iss'] !== key.id) throw refused('its “iss” must be the API key that signed it');
  // The JWT of the OpenTok REST API is signed with the same secret and has no scope.
  if (payload['scope'] === undefined) throw refused('it has no “scope”, which must be session.connect');
  return { fields: payload, signed: credential.slice(0, credential.lastIndexOf('.')), key };
}

function verifyT1(credential: string, keys: readonly IssuerKey[]): VerifiedFields {
  const t1 = parseT1(credential);
  const key = keys.find(
    ({ id, key }) => key.type === 'secret' && id === t1.partnerId && isT1SignedWith(key, t1),
  );
  if (!key) throw invalidSignature();
  const form = parseForm(t1.signed);
  const fields = {
    session_id: form.get('session_id'),
    create_time: parseNumber(form.get('create_time')),
    expire_time: parseNumber(form.get('expire_time')),
    role: readRole(form),
    connection_data: form.get('connection_data'),
    scope: form.get('scope'),
  };
  return { fields, signed: t1.signed, key };
}

/**
 * The oldest SDKs sent `permissions` instead of `role`; their tokens are publishers. No SDK sends both, so a form with
 * both was tampered with before it was signed. The SDK for .NET writes the role in capitals.
 */
function readRole(form: ReadonlyMap<string, string>): string | undefined {
  if (!form.has('permissions')) return form.get('role')?.toLowerCase();
  if (form.has('role')) throw refused('it has both a “role” and “permissions”; send “role” alone');
  return 'publisher';
}

const SECONDS = /^\d{1,12}(\.\d{1,9})?$/;

/** Form fields are text. Text that is not a number is returned unchanged and refused where the field is read. */
function parseNumber(text: string | undefined): number | string | undefined {
  return text !== undefined && SECONDS.test(text) ? Number(text) : text;
}
