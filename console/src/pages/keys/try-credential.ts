import { createClient } from '@signalbox/client';
import { askOnce } from '../../client/session.ts';
import { TryCredentialDocument, type TryCredentialQuery } from '../../generated/operations.ts';

/** The token that a credential stands for. */
export type AcceptedToken = NonNullable<TryCredentialQuery['viewer']['token']>;

/**
 * Connects once with a credential, as its client would, so that the service checks the signature and everything else. Like every
 * first use, it creates the token of a new subject. Undefined: it is a credential of a caller without a token.
 * @throws SignalboxError with the sentence of the refusal
 */
export async function tryCredential(credential: string): Promise<AcceptedToken | undefined> {
  const client = createClient({ url: location.origin, credential });
  try {
    const { viewer } = await askOnce(client, TryCredentialDocument, {});
    return viewer.token ?? undefined;
  } finally {
    await client.close();
  }
}
