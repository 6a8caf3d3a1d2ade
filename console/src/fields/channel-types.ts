import { type ChannelType } from '../generated/operations.ts';

export const CHANNEL_TYPES: readonly ChannelType[] = ['PRIVATE', 'PUBLIC', 'UNPROTECTED'];

/** Who may subscribe, in words. */
export const TYPE_CHOICES = [
  { value: 'PRIVATE', label: 'PRIVATE: tokens with a membership' },
  { value: 'PUBLIC', label: 'PUBLIC: every token of the project' },
  { value: 'UNPROTECTED', label: 'UNPROTECTED: everyone who knows the id' },
];
