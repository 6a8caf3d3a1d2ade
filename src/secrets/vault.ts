/**
 * Secrets that must be read back, encrypted at rest under a master key. Each is bound to what it is the secret of, so
 * that one row's secret is worth nothing in another.
 */
export interface Vault {
  seal(secret: Uint8Array, of: string): Promise<string>;
  /** @throws TypeError when it was sealed for something else, or under a key that is not here. */
  open(sealed: string, of: string): Promise<Uint8Array>;
}
