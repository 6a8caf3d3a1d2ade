import { PasswordInput, TextInput } from '@mantine/core';
import { type IssuerKeyInput } from '../../generated/operations.ts';

/** A key of an issuer in a form. */
export interface KeyDraft {
  readonly id: string;
  readonly secret: string;
}

export const NO_KEY: KeyDraft = { id: '', secret: '' };

/** The argument `key`. */
export function keyOf({ id, secret }: KeyDraft): IssuerKeyInput {
  return { id: id.trim(), secret };
}

/** The id and the secret of a key. */
export function IssuerKeyFields({ draft, onChange }: { draft: KeyDraft; onChange(draft: KeyDraft): void }) {
  return (
    <>
      <TextInput
        label="Key id"
        description="The id that the issuer uses: SK…, an API key of Stream or OpenTok, or your own id."
        required
        withAsterisk={false}
        value={draft.id}
        onChange={(event) => onChange({ ...draft, id: event.currentTarget.value })}
      />
      <PasswordInput
        label="Secret"
        description="Stored encrypted and never returned."
        autoComplete="off"
        required
        withAsterisk={false}
        value={draft.secret}
        onChange={(event) => onChange({ ...draft, secret: event.currentTarget.value })}
      />
    </>
  );
}
