/** Remembers the last ids, so that a message that two subscriptions deliver is handled once. */
export function createRecentIds(limit = 2_000): { isNew(id: string): boolean } {
  const ids = new Set<string>();
  return {
    isNew(id) {
      if (ids.has(id)) return false;
      ids.add(id);
      if (ids.size > limit) for (const oldest of ids) return ids.delete(oldest);
      return true;
    },
  };
}
