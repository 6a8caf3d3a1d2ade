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
  // Not by getTimezoneOffset(), which leaves out the seconds of zones before 1900: while a year is typed, it is 0002, 0020 and 0202.
  const [year, ...parts] = [
    date.getFullYear(),
    date.getMonth() + 1,
    date.getDate(),
    date.getHours(),
    date.getMinutes(),
  ];
  const [month, day, hours, minutes] = parts.map((part) => String(part).padStart(2, '0'));
  return `${String(year).padStart(4, '0')}-${month}-${day}T${hours}:${minutes}`;
}
