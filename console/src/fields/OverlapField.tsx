import { NativeSelect } from '@mantine/core';
import { LIFETIMES } from './lifetime.ts';

const OVERLAPS = LIFETIMES.map((choice) =>
  choice.value === '' ? { value: '0', label: 'No time: refuse it at once' } : choice,
);

interface Properties {
  label: string;
  description?: string;
  /** In seconds, as text. */
  value: string;
  onChange(value: string): void;
}

/** For how long a key that is replaced or removed still works. */
export function OverlapField({ onChange, ...field }: Properties) {
  return (
    <NativeSelect {...field} onChange={(event) => onChange(event.currentTarget.value)} data={OVERLAPS} />
  );
}
