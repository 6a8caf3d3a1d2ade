/** Lifetimes to choose from, in seconds as text; empty: none is sent. */
export const LIFETIMES = [
  { value: '', label: 'The default of the project' },
  { value: '900', label: '15 minutes' },
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '1 day' },
  { value: '604800', label: '7 days' },
  { value: '2592000', label: '30 days' },
];

/** The argument `expiresIn` of a choice. */
export function secondsOf(lifetime: string): number | undefined {
  return lifetime === '' ? undefined : Number(lifetime);
}

/** The end of a lifetime that begins now: of a mute, a ban or an API key. */
export function untilOf(lifetime: string): string | undefined {
  const seconds = secondsOf(lifetime);
  return seconds === undefined ? undefined : new Date(Date.now() + seconds * 1_000).toISOString();
}
