/** The meaning of a tag, which also determines its color. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain';

/** A short word with a color that has enough contrast in both color schemes. */
export function Tag({ tone = 'plain', children }: { tone?: Tone; children: string }) {
  return <span className={`tag tag-${tone}`}>{children}</span>;
}
