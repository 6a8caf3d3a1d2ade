import { type Setting } from './setting.ts';

/** Limits of a GraphQL document. */
export const DOCUMENT_SETTINGS = {
  maxDepth: {
    env: 'SIGNALBOX_MAX_DEPTH',
    default: 15,
    unit: 'count',
    min: 3,
    max: 100,
    about: 'Maximum depth of a GraphQL document, in levels.',
  },
  maxAliases: {
    env: 'SIGNALBOX_MAX_ALIASES',
    default: 30,
    unit: 'count',
    min: 0,
    max: 10_000,
    about: 'Maximum number of aliases in a GraphQL document; a fragment counts at every use.',
  },
  maxDirectives: {
    env: 'SIGNALBOX_MAX_DIRECTIVES',
    default: 30,
    unit: 'count',
    min: 0,
    max: 10_000,
    about: 'Maximum number of directives in a GraphQL document; a fragment counts at every use.',
  },
  maxTokens: {
    env: 'SIGNALBOX_MAX_TOKENS',
    default: 2_000,
    unit: 'count',
    min: 50,
    max: 1_000_000,
    about: 'Maximum number of lexical tokens in a GraphQL document.',
  },
  maxCost: {
    env: 'SIGNALBOX_MAX_COST',
    default: 50_000,
    unit: 'count',
    min: 100,
    max: 100_000_000,
    about:
      'Maximum number of fields that a GraphQL document may return; a list counts at its requested size.',
  },
} as const satisfies Record<string, Setting>;
