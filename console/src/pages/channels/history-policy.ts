interface Policy {
  readonly messages: number | null;
  readonly seconds: number | null;
}

/** How many messages a channel keeps, in words. */
export function describeHistory({ messages, seconds }: Policy): string {
  if (messages === null && seconds === null) return 'limits of the service';
  if (messages === 0) return 'none';
  return [messages !== null && `${messages} messages`, seconds !== null && describeSeconds(seconds)]
    .filter((part) => part !== false)
    .join(', ');
}

const UNITS = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
] as const;

/** Seconds in the largest unit of which they are a multiple, two at least: 86400 are 24 hours. */
function describeSeconds(seconds: number): string {
  const unit = UNITS.find(([, length]) => seconds >= 2 * length && seconds % length === 0);
  return unit ? `${seconds / unit[1]} ${unit[0]}` : `${seconds} seconds`;
}

/** The argument `history` of two fields; an empty field is the limit of the service. */
export function historyOf(messages: number | string, seconds: number | string): Policy {
  return {
    messages: typeof messages === 'number' ? messages : null,
    seconds: typeof seconds === 'number' ? seconds : null,
  };
}
