interface Policy {
  readonly messages: number | null;
  readonly seconds: number | null;
}

/** How many messages a channel keeps, in words. */
export function describeHistory({ messages, seconds }: Policy): string {
  if (messages === null && seconds === null) return 'limits of the service';
  if (messages === 0) return 'none';
  return [messages !== null && `${messages} messages`, seconds !== null && `${seconds} s`]
    .filter((part) => part !== false)
    .join(', ');
}

/** The argument `history` of two fields; an empty field is the limit of the service. */
export function historyOf(messages: number | string, seconds: number | string): Policy {
  return {
    messages: typeof messages === 'number' ? messages : null,
    seconds: typeof seconds === 'number' ? seconds : null,
  };
}
