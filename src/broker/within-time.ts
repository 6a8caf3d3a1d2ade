/** An answer of the database may never come, because the network between them is dead. In milliseconds. */
const ANSWER_MS = 2500;

/**
 * Rejects when there is no answer within 2.5 seconds. It is unknown then whether the statement took effect, so use it for
 * reads and for what may be repeated.
 */
export async function withinTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error('The database did not answer in time.'), { code: 'ETIMEDOUT' });
    timer = setTimeout(() => reject(error), ANSWER_MS);
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
