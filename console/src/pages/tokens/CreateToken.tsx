import { useState } from 'react';
import { CreateTokenDocument, type CreateTokenMutation } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { CredentialDialog } from './CredentialDialog.tsx';
import { EMPTY_DRAFT, inputOf } from './token-draft.ts';
import { TokenFields } from './TokenFields.tsx';

/** Creates a token and shows its credential once. */
export function CreateToken() {
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const [created, setCreated] = useState<CreateTokenMutation['createToken']>();
  const { input, problem } = inputOf(draft);
  return (
    <>
      <ActionButton
        label="Create token"
        variant="filled"
        scope="TOKENS"
        operation={CreateTokenDocument}
        variables={{ input }}
        problem={problem}
        submit="Create token"
        onDone={({ createToken }) => {
          setCreated(createToken);
          setDraft(EMPTY_DRAFT);
        }}
      >
        <TokenFields draft={draft} onChange={setDraft} />
      </ActionButton>
      {created && (
        <CredentialDialog
          token={created.token?.id}
          credential={created.credential}
          onClose={() => setCreated(undefined)}
        />
      )}
    </>
  );
}
