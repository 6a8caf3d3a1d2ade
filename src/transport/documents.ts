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
import { findLimitErrors, findWideSelections, limitError } from './document-limits.ts';
import { inexactLiterals } from './exact-literals.ts';
import { type RedactMessage } from './redact-message.ts';
import { documentBytes } from './retained-memory.ts';
import { UnconditionalSubscriptionRule } from './subscription-root.ts';

/** Estimated heap bytes of the cache of parsed documents, since clients send the same few again and again. */
const MAX_CACHED_BYTES = 32 * 1024 * 1024;
const MAX_VALIDATION_ERRORS = 20;
/**
 * Brackets in brackets. The parser and the rules call themselves for each level, so that about 1,500 levels of lists, which the
 * limit of tokens allows, overflow the stack.
 */
const MAX_NESTING = 200;

/** Parses and validates documents for HTTP, SSE and WebSocket alike. */
export interface Documents {
  /**
   * Parses a document, or returns the cached one with the same text.
   * @throws GraphQLError with code GRAPHQL_PARSE_FAILED, or OPERATION_TOO_COMPLEX when it has too many tokens or
   * brackets in brackets
   */
  parse(source: string): DocumentNode;
  /** The errors of a document, each with a code: GRAPHQL_VALIDATION_FAILED or OPERATION_TOO_COMPLEX. Empty if it is valid. */
  validate(document: DocumentNode): readonly GraphQLError[];
}

export function createDocuments(
  schema: GraphQLSchema,
  config: Config,
  { showsSchema, redactMessage }: { showsSchema: boolean; redactMessage: RedactMessage },
): Documents {
  const parsed = new Map<string, DocumentNode>();
  let cachedBytes = 0;
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  const rules = showsSchema ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];

  function findErrors(document: DocumentNode): readonly GraphQLError[] {
    // Before the other rules, because one of them throws when a root field depends on a variable.
    const conditions = validate(schema, document, [UnconditionalSubscriptionRule]);
    if (conditions.length > 0) return conditions;
    return validate(schema, document, rules, { maxErrors: MAX_VALIDATION_ERRORS });
  }

  function check(document: DocumentNode): readonly GraphQLError[] {
    const wideSelections = findWideSelections(document);
    if (wideSelections.length > 0) return wideSelections;
    const inexact = inexactLiterals(document);
    if (inexact.length > 0) return inexact.slice(0, MAX_VALIDATION_ERRORS);
    const errors = findErrors(document);
    // Only valid documents are measured, because measuring a fragment that spreads itself would not terminate.
    if (errors.length === 0) return findLimitErrors(schema, document, config);
    const extensions = { code: 'GRAPHQL_VALIDATION_FAILED', retryable: false };
    return errors.map(
      ({ message, nodes }) => new GraphQLError(redactMessage(message), { nodes: nodes ?? null, extensions }),
    );
  }

  function cache(source: string, document: DocumentNode): void {
    parsed.set(source, document);
    cachedBytes += documentBytes(document);
    for (const [text, oldest] of parsed) {
      if (cachedBytes <= MAX_CACHED_BYTES) return;
      parsed.delete(text);
      cachedBytes -= documentBytes(oldest);
    }
  }

  return {
    parse(source) {
      const cached = parsed.get(source);
      if (cached) return cached;
      if (isNestedTooDeeply(source))
        throw limitError(`The document has more than ${MAX_NESTING} brackets in each other.`, MAX_NESTING);
      try {
        const document = parse(source, { maxTokens: config.maxTokens });
        cache(source, document);
        return document;
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        if (exceedsTokenLimit(source, config.maxTokens)) {
          throw limitError(`The document has more than ${config.maxTokens} tokens.`, config.maxTokens);
        }
        const { source: errorSource, positions } = error;
        const extensions = { code: 'GRAPHQL_PARSE_FAILED', retryable: false };
        throw new GraphQLError(redactMessage(error.message), {
          source: errorSource ?? null,
          positions: positions ?? null,
          extensions,
        });
      }
    },
    validate(document) {
      const cached = validated.get(document);
      if (cached) return cached;
      const errors = check(document);
      validated.set(document, errors);
      return errors;
    },
  };
}

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

function isNestedTooDeeply(text: string): boolean {
  // Nearly every document has fewer brackets in all, and needs no lexer.
  if ((text.match(/[[{(]/g)?.length ?? 0) <= MAX_NESTING) return false;
  const lexer = new Lexer(new Source(text));
  let nesting = 0;
  try {
    for (let { kind } = lexer.advance(); kind !== TokenKind.EOF; { kind } = lexer.advance()) {
      if (CLOSING.has(kind)) nesting--;
      else if (OPENING.has(kind) && ++nesting > MAX_NESTING) return true;
    }
  } catch {
    // The parser reports the syntax error.
  }
  return false;
}

/** Whether a text failed to parse because it has more than `limit` tokens. */
function exceedsTokenLimit(text: string, limit: number): boolean {
  const lexer = new Lexer(new Source(text));
  try {
    for (let count = 0; lexer.advance().kind !== TokenKind.EOF;) if (++count > limit) return true;
  } catch {
    // The text has a syntax error before it exceeds the limit.
  }
  return false;
}
