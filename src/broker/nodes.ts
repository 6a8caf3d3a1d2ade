/** How long a question waits for answers, in milliseconds. A node that confirms no change for longer is fenced. */
export const MAX_ANSWER_MS = 2000;

/** What the other nodes answered to a question. */
export interface NodeAnswers {
  /** What each node that answered sent: untrusted JSON, to be checked first. */
  readonly answers: ReadonlyMap<string, unknown>;
  /** The nodes that did not answer in time, sorted: a node that hangs, was killed, or is of a version without the question. */
  readonly unanswered: readonly string[];
}

export interface QuestionOptions {
  /** Whether the answers that came so far are enough: the others are not waited for. Default: never */
  isEnough?: (answers: ReadonlyMap<string, unknown>) => boolean;
}

/** The other nodes, and what only they know, because it is in their memory. */
export interface Nodes {
  /**
   * Asks every other node. Resolves when all have answered, after two seconds at most.
   * @param kind a short name, under which `onQuestion` receives the question
   * @param question a small JSON value
   * @throws RATE_LIMITED when too many questions of this node wait for answers, UNAVAILABLE when the nodes cannot be listed
   */
  ask(kind: string, question: unknown, options?: QuestionOptions): Promise<NodeAnswers>;
  /**
   * Answers the questions of other nodes of a kind until the returned value is disposed.
   * @param answer receives untrusted JSON, to be checked first. Returns a JSON value; undefined: no answer
   */
  onQuestion(kind: string, answer: (question: unknown) => unknown): Disposable;
  /**
   * The newest nodes that have ended after a moment, in milliseconds since 1970, and what they knew with them: at most `limit`.
   * @throws UNAVAILABLE when they cannot be listed
   */
  endedSince(at: number, limit: number): Promise<string[]>;
}

/** See Nodes. A process that is the only one. */
export const NO_OTHER_NODES: Nodes = {
  ask: async () => ({ answers: new Map(), unanswered: [] }),
  onQuestion: () => ({ [Symbol.dispose]: () => undefined }),
  endedSince: async () => [],
};
