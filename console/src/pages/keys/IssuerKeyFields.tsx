import { NativeSelect, PasswordInput, Textarea, TextInput } from '@mantine/core';
import { type IssuerKeyInput, type IssuerKind } from '../../generated/operations.ts';

/** A key of an issuer in a form. */
export interface KeyDraft {
  readonly id: string;
  readonly secret: string;
  readonly publicKey: string;
  /** OPENTOK: whether credentials are verified with the public key of a Vonage application instead of a secret. */
  readonly isPublic: boolean;
}

export const NO_KEY: KeyDraft = { id: '', secret: '', publicKey: '', isPublic: false };

/** The argument `key`. */
export function keyOf(kind: IssuerKind, { id, secret, publicKey, isPublic }: KeyDraft): IssuerKeyInput {
  return { id: id.trim(), ...(kind === 'OPENTOK' && isPublic ? { publicKey } : { secret }) };
}

interface Properties {
  kind: IssuerKind;
  draft: KeyDraft;
  onChange(draft: KeyDraft): void;
}

/** The id of a key, and its secret or its public key. */
export function IssuerKeyFields({ kind, draft, onChange }: Properties) {
  const change = (part: Partial<KeyDraft>) => onChange({ ...draft, ...part });
  const isPublic = kind === 'OPENTOK' && draft.isPublic;
  return (
    <>
      {kind === 'OPENTOK' && (
        <NativeSelect
          label="Signed with"
          value={draft.isPublic ? 'public' : 'secret'}
          onChange={(event) => change({ isPublic: event.currentTarget.value === 'public' })}
          data={[
            { value: 'secret', label: 'The secret of an OpenTok project' },
            { value: 'public', label: 'The private key of a Vonage application' },
          ]}
        />
      )}
      <TextInput
        label="Key id"
        description="The id that the issuer uses: SK…, an API key of Stream or OpenTok, the id of a Vonage application, or your own id."
        required
        withAsterisk={false}
        value={draft.id}
        onChange={(event) => change({ id: event.currentTarget.value })}
      />
      {isPublic ? (
        <Textarea
          label="Public key"
          description="The RSA public key of the application, as PEM."
          autosize
          minRows={4}
          maxRows={12}
          spellCheck={false}
          className="json-field"
          required
          withAsterisk={false}
          value={draft.publicKey}
          onChange={(event) => change({ publicKey: event.currentTarget.value })}
        />
      ) : (
        <PasswordInput
          label="Secret"
          description="Stored encrypted and never returned."
          autoComplete="off"
          required
          withAsterisk={false}
          value={draft.secret}
          onChange={(event) => change({ secret: event.currentTarget.value })}
        />
      )}
    </>
  );
}
