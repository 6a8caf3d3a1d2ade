import { CodeBlock } from './GraphqlPreview.tsx';

/** A JSON value as indented text. */
export function JsonView({ label, value }: { label: string; value: unknown }) {
  return <CodeBlock label={label} text={JSON.stringify(value, null, 2)} />;
}
