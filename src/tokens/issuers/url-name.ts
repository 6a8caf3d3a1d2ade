/**
 * Whether the name of an OpenID provider, the claim `iss`, is a URL. OpenID Connect requires https, but the access tokens of
 * AD FS have a name that begins with http. The name is compared and never requested, so its scheme protects nothing.
 */
export function isUrlName(name: string): boolean {
  return /^https?:\/\/./.test(name);
}
