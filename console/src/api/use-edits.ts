import { useState } from 'react';

/** The stored values that a form replaces, as `ActionForm` needs them. */
export interface Basis {
  /** Whether others changed a value that the form would replace, as far as the page has read. */
  readonly isOutdated: boolean;
  /** Reads the stored values again. Resolves to whether the form would take back no change of others. */
  check(): Promise<boolean>;
  /** Begins again with the stored values where others changed them. */
  load(): void;
}

export interface Edits<Stored> {
  /** The values of the fields: where none was edited, the stored one, also when that changes. */
  readonly values: Stored;
  /** The edited values that differ from the stored ones. */
  readonly changes: Partial<Stored>;
  readonly basis: Basis;
  change(part: Partial<Stored>): void;
  reset(): void;
}

interface State<Stored> {
  /** The stored value of each edited field when its editing began. */
  readonly from: Partial<Stored>;
  readonly to: Partial<Stored>;
  /** What was sent last. It is stored before the page has read it, and is no change of others. */
  readonly sent: Partial<Stored>;
}

const NOTHING = { from: {}, to: {}, sent: {} };

/**
 * Keeps the edited fields of a form while the stored values change underneath. The API has no condition for these mutations, so
 * the form compares the stored values itself before it sends: `basis`.
 *
 * @param stored the stored values, as the page has read them
 * @param read reads them again; nothing when the object is gone
 */
export function useEdits<Stored extends object>(
  stored: Stored,
  read: () => Promise<Stored | null | undefined>,
): Edits<Stored> {
  const [{ from, to, sent }, setState] = useState<State<Stored>>(NOTHING);
  const keep = (names: readonly (keyof Stored)[]) =>
    setState({ from: pick(from, names), to: pick(to, names), sent: pick(sent, names) });
  const edited = namesOf(to).filter((name) => !isSame(to[name], stored[name]));
  // A value that is stored is no edit any more: when others change it later, the field follows.
  if (edited.length < namesOf(to).length) keep(edited);
  /** Whether a value in the form, if it is sent, replaces one that neither the form began with nor has sent. */
  const isChangedIn = (now: Stored, name: keyof Stored) =>
    [from, to, sent].every((values) => !(name in values) || !isSame(values[name], now[name]));
  const changes = pick(to, edited);
  return {
    values: { ...stored, ...changes },
    changes,
    basis: {
      isOutdated: edited.some((name) => isChangedIn(stored, name)),
      async check() {
        const now = await read();
        if (now && edited.some((name) => isChangedIn(now, name))) return false;
        setState((state) => ({ ...state, sent: changes }));
        return true;
      },
      load: () => keep(edited.filter((name) => !isChangedIn(stored, name))),
    },
    change: (part) =>
      setState((state) => ({
        ...state,
        from: { ...pick(stored, namesOf(part)), ...state.from },
        to: { ...state.to, ...part },
      })),
    reset: () => setState(NOTHING),
  };
}

/** Whether two values are the same JSON, with their names in the same order. */
export const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

const namesOf = <Values extends object>(values: Values) => Object.keys(values) as (keyof Values)[];

function pick<Values extends object>(
  values: Partial<Values>,
  names: readonly (keyof Values)[],
): Partial<Values> {
  const picked: Partial<Values> = {};
  for (const name of names) if (name in values) picked[name] = values[name];
  return picked;
}
