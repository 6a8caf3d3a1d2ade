import { MARKS, type Lookup, type Mark } from './marks.ts';
import { type Sample } from './rounds.ts';
import { median, spread } from './statistics.ts';

/** With fewer rounds than three, nobody can see how far they would lie apart. */
const ROUNDS_TO_SEE_NOISE = 3;
const LEAST_NOISE = 0.05;
const NOISE_OF_FEW_ROUNDS = 0.2;

export interface Verdict {
  readonly mark: Mark;
  /** Median over rounds; undefined: not measured. */
  readonly measured: number | undefined;
  /** (max − min) / median, or what is assumed of so few rounds. */
  readonly noise: number;
  readonly rounds: number;
  readonly says: 'reached' | 'within noise' | 'missed' | 'not yet' | 'not measured';
}

export function evaluate(samples: readonly Sample[]): Verdict[] {
  return MARKS.map((mark) => judgeMark(mark, samples));
}

function judgeMark(mark: Mark, samples: readonly Sample[]): Verdict {
  const rounds = [...new Set(samples.map(({ round }) => round))];
  const ofRounds = rounds
    .map((round) => mark.of(lookupIn(samples, round), (part) => variantsOf(samples, part)))
    .filter((value) => value !== undefined && Number.isFinite(value)) as number[];
  if (ofRounds.length === 0)
    return { mark, measured: undefined, noise: NaN, rounds: 0, says: 'not measured' };
  const measured = median(ofRounds);
  const assumed = ofRounds.length < ROUNDS_TO_SEE_NOISE ? NOISE_OF_FEW_ROUNDS : LEAST_NOISE;
  const noise = Math.max(spread(ofRounds), assumed);
  return { mark, measured, noise, rounds: ofRounds.length, says: verdictOf(mark, measured, noise) };
}

function verdictOf({ sense, limit, isDream }: Mark, measured: number, noise: number): Verdict['says'] {
  const isIn = (value: number) => (sense === 'at most' ? value <= limit : value >= limit);
  if (isIn(measured)) return 'reached';
  if (isDream) return 'not yet';
  return isIn(sense === 'at most' ? measured * (1 - noise) : measured * (1 + noise))
    ? 'within noise'
    : 'missed';
}

function lookupIn(samples: readonly Sample[], round: number): Lookup {
  return (part, contender, key, variant = 0) =>
    samples.find(
      (sample) =>
        sample.round === round &&
        sample.part === part &&
        sample.contender === contender &&
        sample.variant === variant,
    )?.values[key];
}

function variantsOf(samples: readonly Sample[], part: string): number[] {
  return [...new Set(samples.filter((sample) => sample.part === part).map(({ variant }) => variant))];
}
