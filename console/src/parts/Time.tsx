const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** A moment relative to now, with the exact time as the title; a dash for null. */
export function Time({ at, none = '—' }: { at: string | null; none?: string }) {
  if (at === null) return <>{none}</>;
  return (
    <time dateTime={at} title={at}>
      {relative((Date.parse(at) - Date.now()) / 1_000)}
    </time>
  );
}

/** The time of day of a moment, to the second. */
export function ClockTime({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at}>
      {new Date(at).toLocaleTimeString('en-GB')}
    </time>
  );
}

function relative(seconds: number): string {
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? (['second', 1] as const);
  if (unit === 'second' && Math.abs(seconds) < 5) return 'now';
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}
