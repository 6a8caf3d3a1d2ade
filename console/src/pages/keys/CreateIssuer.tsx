import { useState } from 'react';
import { NativeSelect, TextInput } from '@mantine/core';
import { CreateIssuerDocument, type IssuerKind } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { IssuerKeyFields, keyOf, NO_KEY } from './IssuerKeyFields.tsx';

const KINDS: readonly { value: IssuerKind; label: string }[] = [
  { value: 'SIGNALBOX', label: 'Your backend: JWTs with the claims of Signalbox' },
  { value: 'JWKS', label: 'An OpenID provider' },
  { value: 'STREAM', label: 'Stream Chat' },
  { value: 'TWILIO', label: 'Twilio Sync' },
  { value: 'OPENTOK', label: 'OpenTok' },
];

/** Accepts the credentials of another party, by its kind. */
export function CreateIssuer() {
  const [kind, setKind] = useState<IssuerKind>('SIGNALBOX');
  const [name, setName] = useState('');
  const [key, setKey] = useState(NO_KEY);
  const [account, setAccount] = useState('');
  const [provider, setProvider] = useState({ issuer: '', url: '', audience: '' });
  const input = {
    kind,
    ...(name !== '' && { name }),
    ...(kind === 'JWKS' ? { provider } : { key: keyOf(key) }),
    ...(kind === 'TWILIO' && { account }),
  };
  const text = (label: string, description: string, value: string, onChange: (value: string) => void) => (
    <TextInput
      label={label}
      description={description}
      required
      withAsterisk={false}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
  return (
    <ActionButton
      label="Add an issuer"
      scope="ADMIN"
      operation={CreateIssuerDocument}
      variables={{ input }}
      submit="Add the issuer"
      onDone={() => setKey(NO_KEY)}
    >
      <NativeSelect
        label="Kind"
        value={kind}
        onChange={(event) =>
          setKind(KINDS.find(({ value }) => value === event.currentTarget.value)?.value ?? kind)
        }
        data={[...KINDS]}
      />
      <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      {kind === 'TWILIO' && text('Account SID', 'AC…, which the claim sub must equal.', account, setAccount)}
      {kind === 'JWKS' ? (
        <>
          {text('Issuer', 'The exact value of the claim iss, usually https://…', provider.issuer, (issuer) =>
            setProvider({ ...provider, issuer }),
          )}
          {text('Key set', 'The https URL of its JSON Web Key Set.', provider.url, (url) =>
            setProvider({ ...provider, url }),
          )}
          {text('Audience', 'The value that the claim aud must contain.', provider.audience, (audience) =>
            setProvider({ ...provider, audience }),
          )}
        </>
      ) : (
        <IssuerKeyFields draft={key} onChange={setKey} />
      )}
    </ActionButton>
  );
}
