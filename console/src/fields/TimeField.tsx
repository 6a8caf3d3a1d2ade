import { TextInput } from '@mantine/core';

interface Properties {
  label: string;
  /** RFC 3339, or null. */
  value: string | null;
  onChange(value: string | null): void;
}

/** Chooses a moment in the time zone of the browser; empty: none. */
export function TimeField({ label, value, onChange }: Properties) {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      value={value === null ? '' : toLocal(value)}
      onChange={({ currentTarget: { value: local } }) =>
        onChange(local === '' ? null : new Date(local).toISOString())
      }
    />
  );
}

/** The form in which the field takes a moment: local time without a zone, to the minute. */
function toLocal(at: string): string {
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
