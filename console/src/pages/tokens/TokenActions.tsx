import { Text } from '@mantine/core';
import { RevokeTokenDocument, type TokenDetailsFragment } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { Disconnect } from '../connections/Disconnect.tsx';
import { DirectMessage } from '../messages/DirectMessage.tsx';
import { Restrict } from '../moderation/Restrict.tsx';
import { EditToken } from './EditToken.tsx';
import { RenewCredential } from './RenewCredential.tsx';

/** What can be done with a token. A revoked one stays as it is. */
export function TokenActions({ token }: { token: TokenDetailsFragment }) {
  const { id } = token;
  if (token.revokedAt !== null) return null;
  return (
    <>
      {token.origin !== 'SELF_MINTED' && token.origin !== 'DEVELOPMENT' && <RenewCredential id={id} />}
      <DirectMessage address={{ kind: 'token', value: id }} />
      <EditToken token={token} />
      <Restrict target={{ kind: 'token', value: id }} />
      <Disconnect target={{ token: id }} />
      <ActionButton
        label="Revoke"
        scope="TOKENS"
        operation={RevokeTokenDocument}
        variables={{ id }}
        submit="Revoke for good"
        isDangerous
      >
        <Text size="sm">
          The token ends for good and its connections close at once. There is no undo: create another token
          instead.
        </Text>
      </ActionButton>
    </>
  );
}
