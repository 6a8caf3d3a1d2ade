import { SignalboxError } from '../errors.ts';
import { isObject } from '../is-object.ts';
import { TurnQueue } from '../slices.ts';
import { type PostgresStore } from '../store/store.ts';
import { MAX_ANSWER_MS, type NodeAnswers, type Nodes, type QuestionOptions } from './nodes.ts';
import { type Wire } from './wire.ts';

/** The kinds of payloads. Every node receives both, and ignores the answers to others. */
const QUESTION = 'question';
const ANSWER = 'answer';

/** Questions of this node that wait for answers at the same time. */
export const MAX_OPEN_QUESTIONS = 100;
/** Questions of other nodes that wait for their turn here; further ones get no answer. */
const MAX_WAITING_QUESTIONS = 1000;
/** Questions that are answered in one turn of the event loop. */
const MAX_ANSWERS_PER_TURN = 8;

interface OpenQuestion {
  receive(node: string, answer: unknown): void;
}

/**
 * See Nodes. Asks and answers over the wire: nothing is written, and a question or an answer that is lost counts as a node that
 * did not answer.
 */
export function createPostgresNodes({
  store,
  wire,
  nodeId,
  onFault,
}: {
  store: Pick<PostgresStore, 'rows'>;
  wire: Wire;
  nodeId: string;
  /** Receives what the answer to a question throws. */
  onFault: (error: unknown) => void;
}): Nodes & Disposable {
  const open = new Map<number, OpenQuestion>();
  const kinds = new Map<string, (question: unknown) => unknown>();
  const turns = new TurnQueue(MAX_ANSWERS_PER_TURN);
  let asked = 0;
  let waiting = 0;

  async function answerLater(kind: string, id: number, question: unknown, to: string): Promise<void> {
    if (waiting >= MAX_WAITING_QUESTIONS) return;
    waiting++;
    try {
      await turns.take();
      const answer = kinds.get(kind)?.(question);
      if (answer !== undefined) wire.send(ANSWER, { to, id, answer });
    } catch (error) {
      onFault(error);
    } finally {
      waiting--;
    }
  }

  const listening = [
    wire.listen(QUESTION, (payload, from) => {
      if (!isObject(payload)) return;
      const { id, kind, question } = payload;
      if (typeof kind === 'string' && typeof id === 'number') void answerLater(kind, id, question, from);
    }),
    wire.listen(ANSWER, (payload, from) => {
      if (!isObject(payload) || payload['to'] !== nodeId) return;
      const { id, answer } = payload;
      if (typeof id === 'number' && answer !== undefined) open.get(id)?.receive(from, answer);
    }),
  ];

  /** The other nodes that are registered, also those whose lease has ended: they may continue. */
  async function listOthers(): Promise<string[]> {
    const found = await store.rows<{ node: string }>(
      `SELECT DISTINCT split_part(id, '.', 1) AS node FROM nodes ORDER BY node`,
      [],
    );
    return found.map(({ node }) => node).filter((node) => node !== nodeId);
  }

  function collect(
    id: number,
    others: readonly string[],
    { isEnough = () => false }: QuestionOptions,
    send: () => void,
  ): Promise<NodeAnswers> {
    const answers = new Map<string, unknown>();
    const missing = new Set(others);
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        resolve({ answers, unanswered: [...missing] });
      };
      const timer = setTimeout(finish, MAX_ANSWER_MS);
      open.set(id, {
        receive(node, answer) {
          // Not those that have started since: they were not there.
          if (!missing.delete(node)) return;
          answers.set(node, answer);
          if (missing.size === 0 || isEnough(answers)) finish();
        },
      });
      send();
    });
  }

  return {
    async ask(kind, question, options = {}) {
      if (open.size >= MAX_OPEN_QUESTIONS)
        throw new SignalboxError('RATE_LIMITED', 'Too many questions to other nodes wait for answers.', {
          retryAfterSeconds: MAX_ANSWER_MS / 1000,
        });
      const id = ++asked;
      // Before the first wait, so that the questions of one turn are counted.
      open.set(id, { receive: () => undefined });
      try {
        const others = await listOthers();
        if (others.length === 0) return { answers: new Map(), unanswered: [] };
        return await collect(id, others, options, () => wire.send(QUESTION, { id, kind, question }));
      } finally {
        open.delete(id);
      }
    },
    onQuestion(kind, answer) {
      kinds.set(kind, answer);
      return { [Symbol.dispose]: () => void kinds.delete(kind) };
    },
    async endedSince(at, limit) {
      const found = await store.rows<{ id: string }>(
        `SELECT id FROM node_processes
         WHERE (ended_at IS NULL OR ended_at >= to_timestamp($1::double precision / 1000))
           AND NOT EXISTS (SELECT FROM nodes WHERE split_part(nodes.id, '.', 1) = node_processes.id)
         ORDER BY ended_at DESC NULLS FIRST LIMIT $2`,
        [at, limit],
      );
      return found.map(({ id }) => id);
    },
    [Symbol.dispose]() {
      for (const each of listening) each[Symbol.dispose]();
    },
  };
}
