/** The package has no types of its own; this is what the example uses of it. */
declare module 'opentok' {
  export default class OpenTok {
    constructor(apiKey: string, apiSecret: string);
    generateToken(
      sessionId: string,
      options?: { role?: string; data?: string; expireTime?: number },
      useT1Token?: boolean,
    ): string;
  }
}
