/**
 * Joins the parts with line breaks, in one piece. A template would refer to its parts instead, which takes three times the
 * memory in a key that exists once per connection.
 */
export function flatKey(...parts: readonly string[]): string {
  return parts.join('\n');
}
