import {
  GraphQLError,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { ERROR_CATALOGUE } from '../errors.ts';
import { MAX_PAGE_SIZE } from '../paging.ts';

/** Bounds of one document; see the configuration for what each counts. */
export interface DocumentLimits {
  maxDepth: number;
  maxAliases: number;
  maxDirectives: number;
  maxCost: number;
}

interface Measure {
  depth: number;
  aliases: number;
  directives: number;
  cost: number;
}

/**
 * The bounds that a valid document breaks. Fragments are counted at every use, each walked once. A list that is asked
 * for with a variable costs as much as the largest page: what a document may cost must not depend on what is sent
 * along with it.
 */
export function breaches(document: DocumentNode, limits: DocumentLimits): GraphQLError[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const measured = new Map<string, Measure>();

  function ofFragment(name: string): Measure {
    const known = measured.get(name);
    if (known) return known;
    const fragment = fragments.get(name);
    const measure = fragment ? ofSelection(fragment.selectionSet) : NOTHING;
    measured.set(name, measure);
    return measure;
  }

  function ofField(field: FieldNode): Measure {
    const inner = field.selectionSet ? ofSelection(field.selectionSet) : NOTHING;
    return {
      depth: inner.depth + 1,
      aliases: inner.aliases + (field.alias ? 1 : 0),
      directives: inner.directives,
      cost: 1 + inner.cost * sizeOf(field),
    };
  }

  function ofSelection({ selections }: SelectionSetNode): Measure {
    const sum = { ...NOTHING };
    for (const node of selections) {
      const measure =
        node.kind === Kind.FIELD
          ? ofField(node)
          : node.kind === Kind.FRAGMENT_SPREAD
            ? ofFragment(node.name.value)
            : ofSelection(node.selectionSet);
      sum.depth = Math.max(sum.depth, measure.depth);
      sum.aliases += measure.aliases;
      sum.directives += measure.directives + (node.directives?.length ?? 0);
      sum.cost += measure.cost;
    }
    return sum;
  }

  return document.definitions.flatMap((node) => {
    if (node.kind !== Kind.OPERATION_DEFINITION) return [];
    const { depth, aliases, directives, cost } = ofSelection(node.selectionSet);
    return [
      ...over('levels', depth, limits.maxDepth),
      ...over('aliases', aliases, limits.maxAliases),
      ...over('directives', directives + (node.directives?.length ?? 0), limits.maxDirectives),
      ...over('fields to yield', cost, limits.maxCost),
    ];
  });
}

const NOTHING: Measure = { depth: 0, aliases: 0, directives: 0, cost: 0 };

/** How many of what a field selects it may yield. */
function sizeOf(field: FieldNode): number {
  const size = field.arguments?.find(({ name }) => name.value === 'first' || name.value === 'last')?.value;
  if (!size) return 1;
  return size.kind === Kind.INT ? Math.max(1, Math.min(Number(size.value), MAX_PAGE_SIZE)) : MAX_PAGE_SIZE;
}

function over(what: string, count: number, limit: number): GraphQLError[] {
  if (count <= limit) return [];
  const { retryable } = ERROR_CATALOGUE.OPERATION_TOO_COMPLEX;
  const extensions = { code: 'OPERATION_TOO_COMPLEX', retryable, limit };
  return [
    new GraphQLError(`The operation has ${count} ${what}; at most ${limit} are allowed.`, { extensions }),
  ];
}
