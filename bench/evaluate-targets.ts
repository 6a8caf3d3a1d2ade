import { TARGETS, type Lookup, type Target } from './targets.ts';
import { type Sample } from './rounds.ts';
import { median, spread } from './statistics.ts';

/** With fewer rounds, the noise cannot be estimated from their range. */
const MIN_ROUNDS_FOR_NOISE = 3;
const MIN_NOISE = 0.05;
const NOISE_OF_FEW_ROUNDS = 0.2;

export interface TargetResult {
  readonly target: Target;
  /** Median over the rounds; undefined if it was not measured. */
  readonly measured: number | undefined;
  /** (max − min) / median, at least 5 %; with fewer than three rounds at least 20 %. */
  readonly noise: number;
  readonly rounds: number;
  readonly status: 'reached' | 'within noise' | 'missed' | 'not yet' | 'not measured';
}

export function evaluateTargets(samples: readonly Sample[]): TargetResult[] {
  return TARGETS.map((target) => evaluateTarget(target, samples));
}

function evaluateTarget(target: Target, samples: readonly Sample[]): TargetResult {
  const rounds = [...new Set(samples.map(({ round }) => round))];
  const values = rounds
    .map((round) => target.of(lookupIn(samples, round), (part) => variantsOf(samples, part)))
    .filter((value) => value !== undefined && Number.isFinite(value)) as number[];
  if (values.length === 0)
    return { target, measured: undefined, noise: NaN, rounds: 0, status: 'not measured' };
  const measured = median(values);
  const assumed = values.length < MIN_ROUNDS_FOR_NOISE ? NOISE_OF_FEW_ROUNDS : MIN_NOISE;
  const noise = Math.max(spread(values), assumed);
  return { target, measured, noise, rounds: values.length, status: statusOf(target, measured, noise) };
}

function statusOf(
  { sense, limit, isStretchGoal }: Target,
  measured: number,
  noise: number,
): TargetResult['status'] {
  const isReached = (value: number) => (sense === 'at most' ? value <= limit : value >= limit);
  if (isReached(measured)) return 'reached';
  if (isStretchGoal) return 'not yet';
  return isReached(sense === 'at most' ? measured * (1 - noise) : measured * (1 + noise))
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
