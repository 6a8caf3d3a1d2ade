/** Whom an action concerns: a token or an identity. */
export interface Whom {
  readonly kind: 'token' | 'identity';
  readonly value: string;
}

/** The argument `token` or `identity`. */
export function whomArguments({ kind, value }: Whom): { token?: string; identity?: string } {
  return kind === 'token' ? { token: value.trim() } : { identity: value.trim() };
}
