import { type SettingsFragment } from '../../generated/operations.ts';

type Settings = Omit<SettingsFragment, 'permissions'>;

type NameOf<Value> = {
  [Name in keyof Settings]: Settings[Name] extends Value ? Name : never;
}[keyof Settings];

interface SettingField<Name> {
  readonly name: Name;
  readonly label: string;
  readonly description: string;
}

/** The settings that are on or off. */
export const SWITCHES: readonly SettingField<NameOf<boolean>>[] = [
  {
    name: 'anonymous',
    label: 'Anonymous callers',
    description: 'Subscribe to UNPROTECTED channels without a credential.',
  },
  { name: 'guests', label: 'Guests', description: 'Any caller may create a guest.' },
  {
    name: 'developmentTokens',
    label: 'Development tokens',
    description: 'Unsigned credentials: any client can claim any identity. Never in production.',
  },
  { name: 'emailIdentities', label: 'E-mail identities', description: 'Identities may contain @ and +.' },
  {
    name: 'publishersSignal',
    label: 'Publishers signal',
    description: 'Tokens may publish directly to a connection in their channel.',
  },
];

/** The settings in seconds. Those that may be null can be left empty. */
export const NUMBERS: readonly SettingField<NameOf<number | null>>[] = [
  {
    name: 'defaultLifetimeSeconds',
    label: 'Default lifetime',
    description: 'Of a token that states none. Empty: unlimited.',
  },
  { name: 'maxLifetimeSeconds', label: 'Maximum lifetime', description: 'Of a token. Empty: unlimited.' },
  {
    name: 'expiryWarningSeconds',
    label: 'Expiry warning',
    description: 'Before the expiry. Empty: the setting of the service.',
  },
  {
    name: 'expiryGraceSeconds',
    label: 'Expiry grace',
    description: 'How long a connection outlives its token.',
  },
  { name: 'guestSeconds', label: 'Guest lifetime', description: '60–86,400 seconds.' },
];
