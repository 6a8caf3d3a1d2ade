import {
  GraphQLError,
  Lexer,
  NoSchemaIntrospectionCustomRule,
  parse,
  Source,
  specifiedRules,
  TokenKind,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { type Config } from '../config.ts';
import { breach, breaches, tooWide } from './document-limits.ts';
import { type RedactMessage } from './redact-message.ts';

/**
 * Documents that were read lately: clients send the same few again and again. Bounded by the length of their texts,
 * for a parsed one takes a hundred times that.
 */
const CACHED_CHARACTERS = 512 * 1024;
const MAX_VALIDATION_ERRORS = 20;

/** The one way from text to a document that may be executed: HTTP, SSE and WebSocket all come through here. */
export interface Documents {
  /** @throws GraphQLError (GRAPHQL_PARSE_FAILED) */
  parse(source: string): DocumentNode;
  /** What is wrong with it, each with its code. Empty: it may be executed. */
  validate(document: DocumentNode): readonly GraphQLError[];
}

export function createDocuments(
  schema: GraphQLSchema,
  config: Config,
  { showsSchema, wording }: { showsSchema: boolean; wording: RedactMessage },
): Documents {
  const parsed = new Map<string, DocumentNode>();
  let parsedCharacters = 0;
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  const rules = showsSchema ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];

  function check(document: DocumentNode): readonly GraphQLError[] {
    const wide = tooWide(document);
    if (wide.length > 0) return wide;
    const errors = validate(schema, document, rules, { maxErrors: MAX_VALIDATION_ERRORS });
    // A fragment that spreads itself is found by the rules; to measure it would not end.
    if (errors.length === 0) return breaches(schema, document, config);
    const extensions = { code: 'GRAPHQL_VALIDATION_FAILED', retryable: false };
    return errors.map(
      ({ message, nodes }) => new GraphQLError(wording(message), { nodes: nodes ?? null, extensions }),
    );
  }

  function keep(source: string, document: DocumentNode): void {
    parsed.set(source, document);
    parsedCharacters += source.length;
    for (const oldest of parsed.keys()) {
      if (parsedCharacters <= CACHED_CHARACTERS) return;
      parsed.delete(oldest);
      parsedCharacters -= oldest.length;
    }
  }

  return {
    parse(source) {
      const known = parsed.get(source);
      if (known) return known;
      try {
        const document = parse(source, { maxTokens: config.maxTokens });
        keep(source, document);
        return document;
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        if (hasMoreTokens(source, config.maxTokens)) {
          throw breach(`The document has more than ${config.maxTokens} tokens.`, config.maxTokens);
        }
        const { source: where, positions } = error;
        const extensions = { code: 'GRAPHQL_PARSE_FAILED', retryable: false };
        throw new GraphQLError(wording(error.message), {
          source: where ?? null,
          positions: positions ?? null,
          extensions,
        });
      }
    },
    validate(document) {
      const known = validated.get(document);
      if (known) return known;
      const errors = check(document);
      validated.set(document, errors);
      return errors;
    },
  };
}

/** Whether a text that could not be parsed was refused for its length. */
function hasMoreTokens(text: string, limit: number): boolean {
  const lexer = new Lexer(new Source(text));
  try {
    for (let count = 0; lexer.advance().kind !== TokenKind.EOF;) if (++count > limit) return true;
  } catch {
    // It is no GraphQL up to where it is too long, either.
  }
  return false;
}
