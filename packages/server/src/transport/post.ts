/** One HTTP request of the SDK. */
export interface HttpRequest {
  fetch: typeof fetch;
  endpoint: string;
  apiKey: string;
  body: string;
  timeoutMs: number;
  signal: AbortSignal | undefined;
}

/**
 * Sends a request with the API key, and returns what `read` makes of its response. The time limit ends when `read` has resolved.
 * @param onFailure is called with what `fetch` or `read` has thrown, and whether the time limit was the cause
 */
export async function post<Result>(
  { fetch, endpoint, apiKey, body, timeoutMs, signal }: HttpRequest,
  accept: string,
  read: (response: Response) => Promise<Result>,
  onFailure: (cause: unknown, isTimeout: boolean) => Result,
): Promise<Result> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', accept },
      body,
      // A redirect would repeat the API key at another address.
      redirect: 'manual',
      signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
    });
    return await read(response);
  } catch (cause) {
    return onFailure(cause, timeout.signal.aborted);
  } finally {
    clearTimeout(timer);
  }
}
