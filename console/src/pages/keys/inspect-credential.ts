import { type IssuerDetailsFragment } from '../../generated/operations.ts';

interface Finding {
  readonly isGood: boolean;
  readonly text: string;
}

/** What the page can say about a credential without its key. */
export interface Inspection {
  readonly findings: readonly Finding[];
  /** Whether it looks like a credential of a client, which the service can be asked about. */
  readonly mayBeSent: boolean;
  /** The header and the claims, when it is a JWT. */
  readonly claims?: unknown;
}

/** Decodes a credential and compares it with the issuers of the project. Only the service can check its signature. */
export function inspectCredential(text: string, issuers: readonly IssuerDetailsFragment[]): Inspection {
  const bad = (sentence: string): Inspection => ({
    findings: [{ isGood: false, text: sentence }],
    mayBeSent: false,
  });
  if (text.startsWith('key_'))
    return bad('This is an API key. Never give it to a client, and do not paste it into pages.');
  if (text.startsWith('T1=='))
    return { ...bad('This is a token of OpenTok. It needs an issuer of the kind OPENTOK.'), mayBeSent: true };
  const [head = '', body = '', signature] = text.split('.');
  const [header, claims] = [decodePart(head), decodePart(body)];
  if (!header || !claims || signature === undefined)
    return bad('This is not a JWT: three parts of base64url, separated by dots.');
  return {
    claims: { header, claims },
    mayBeSent: true,
    findings: [...findIssuer(header, claims, issuers), ...findTimes(claims, Date.now() / 1_000)],
  };
}

type Claims = Readonly<Record<string, unknown>>;

function decodePart(part: string): Claims | undefined {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

function findIssuer(header: Claims, claims: Claims, issuers: readonly IssuerDetailsFragment[]): Finding[] {
  const names = [header['kid'], claims['iss']].filter((name) => typeof name === 'string');
  const issuer = issuers.find(
    ({ kind, keys, provider }) =>
      (provider && provider.issuer === claims['iss']) ||
      keys.some(({ id }) => names.includes(id)) ||
      (kind === 'STREAM' && 'user_id' in claims),
  );
  if (issuer)
    return [
      {
        isGood: true,
        text: `It would be checked with the issuer ${issuer.name} (${issuer.kind}, ${issuer.id}).`,
      },
    ];
  const named =
    names.length === 0 ? 'It names no key (kid) and no issuer (iss).' : `It names ${names.join(' and ')}.`;
  return [
    {
      isGood: false,
      text: `No issuer of the project matches. ${named} A credential of this service needs no issuer.`,
    },
  ];
}

function findTimes({ exp, nbf }: Claims, now: number): Finding[] {
  const findings: Finding[] = [];
  if (typeof exp === 'number')
    findings.push(
      exp <= now
        ? { isGood: false, text: `It expired at ${toText(exp)}: it would be refused with TOKEN_EXPIRED.` }
        : { isGood: true, text: `It is valid until ${toText(exp)}.` },
    );
  else findings.push({ isGood: true, text: 'It has no expiry (exp): the lifetimes of the project apply.' });
  if (typeof nbf === 'number' && nbf > now)
    findings.push({ isGood: false, text: `It is not valid before ${toText(nbf)}.` });
  return findings;
}

/** A number of seconds beyond the dates that exist is shown as it is. */
function toText(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}
