import { diffJson, type DiffLine } from './json.ts';

const SIGNS: Readonly<Record<DiffLine['kind'], string>> = { same: ' ', removed: '-', added: '+' };

/** The lines that differ between two JSON values, with those around them. */
export function JsonDiff({ before, after }: { before: unknown; after: unknown }) {
  return (
    <pre className="code" tabIndex={0} role="region" aria-label="Changes">
      {diffJson(before, after).map(({ kind, text }, index) => (
        <span key={index} className={`diff-${kind}`}>
          {`${SIGNS[kind]} ${text}\n`}
        </span>
      ))}
    </pre>
  );
}
