import { Textarea } from '@mantine/core';

interface Properties {
  label: string;
  description?: string;
  text: string;
  onChange(text: string): void;
  rows?: number;
}

/** A field for JSON; `parseJson` reads its text. */
export function JsonField({ label, description, text, onChange, rows = 3 }: Properties) {
  return (
    <Textarea
      label={label}
      description={description}
      value={text}
      autosize
      minRows={rows}
      maxRows={16}
      spellCheck={false}
      className="json-field"
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
