/** The package has no types of its own; these are the parts that the example uses. */
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
