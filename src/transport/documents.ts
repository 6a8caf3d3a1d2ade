import {
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { type Config } from '../config.ts';
import { breaches } from './document-limits.ts';

/** Documents that were read lately: clients send the same few again and again. */
const CACHED_DOCUMENTS = 1000;
const MAX_VALIDATION_ERRORS = 20;

/** The one way from text to a document that may be executed: HTTP, SSE and WebSocket all come through here. */
export interface Documents {
  /** @throws GraphQLError (GRAPHQL_PARSE_FAILED) */
  parse(source: string): DocumentNode;
  /** What is wrong with it, each with its code. Empty: it may be executed. */
  validate(document: DocumentNode): readonly GraphQLError[];
}

export function createDocuments(schema: GraphQLSchema, config: Config, showsSchema: boolean): Documents {
  const parsed = new Map<string, DocumentNode>();
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  const rules = showsSchema ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const words = (message: string) => (showsSchema ? message : message.replace(/ ?Did you mean .*$/s, ''));

  function check(document: DocumentNode): readonly GraphQLError[] {
    const errors = validate(schema, document, rules, { maxErrors: MAX_VALIDATION_ERRORS });
    // A fragment that spreads itself is found by the rules; to measure it would not end.
    if (errors.length === 0) return breaches(document, config);
    const extensions = { code: 'GRAPHQL_VALIDATION_FAILED', retryable: false };
    return errors.map(
      ({ message, nodes }) => new GraphQLError(words(message), { nodes: nodes ?? null, extensions }),
    );
  }

  return {
    parse(source) {
      const known = parsed.get(source);
      if (known) return known;
      try {
        const document = parse(source, { maxTokens: config.maxTokens });
        const oldest = parsed.size < CACHED_DOCUMENTS ? undefined : parsed.keys().next().value;
        if (oldest !== undefined) parsed.delete(oldest);
        parsed.set(source, document);
        return document;
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        const { source: where, positions } = error;
        const extensions = { code: 'GRAPHQL_PARSE_FAILED', retryable: false };
        throw new GraphQLError(error.message, {
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
