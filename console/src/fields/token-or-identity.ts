/** A token, or an identity, which stands for all of its tokens. */
export interface TokenOrIdentity {
  readonly kind: 'token' | 'identity';
  readonly value: string;
}

/** The argument `token` or `identity`. */
export function tokenOrIdentityArguments({ kind, value }: TokenOrIdentity): {
  token?: string;
  identity?: string;
} {
  return kind === 'token' ? { token: value.trim() } : { identity: value.trim() };
}
