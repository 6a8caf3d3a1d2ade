import {
  getNamedType,
  getNullableType,
  GraphQLError,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  visit,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  type NamedTypeNode,
  type SelectionSetNode,
} from 'graphql';
import { ERROR_CATALOGUE } from '../errors.ts';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../paging.ts';

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
 * along with it. One whose size nobody names costs as much as a page does by default.
 */
export function breaches(
  schema: GraphQLSchema,
  document: DocumentNode,
  limits: DocumentLimits,
): GraphQLError[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const measured = new Map<string, Measure>();

  function ofFragment(name: string): Measure {
    const known = measured.get(name);
    if (known) return known;
    const fragment = fragments.get(name);
    const measure = fragment ? ofSelection(fragment.selectionSet, typeOf(fragment)) : NOTHING;
    measured.set(name, measure);
    return measure;
  }

  function typeOf({ typeCondition }: { typeCondition?: NamedTypeNode | undefined }): MaybeType {
    return typeCondition && schema.getType(typeCondition.name.value);
  }

  function ofField(field: FieldNode, parent: MaybeType): Measure {
    const type = fieldsOf(parent)?.[field.name.value]?.type;
    const inner = field.selectionSet ? ofSelection(field.selectionSet, type && getNamedType(type)) : NOTHING;
    return {
      depth: inner.depth + 1,
      aliases: inner.aliases + (field.alias ? 1 : 0),
      directives: inner.directives,
      cost: 1 + inner.cost * sizeOf(field, parent),
    };
  }

  function ofSelection({ selections }: SelectionSetNode, parent: MaybeType): Measure {
    const sum = { ...NOTHING };
    for (const node of selections) {
      const measure =
        node.kind === Kind.FIELD
          ? ofField(node, parent)
          : node.kind === Kind.FRAGMENT_SPREAD
            ? ofFragment(node.name.value)
            : ofSelection(node.selectionSet, typeOf(node) ?? parent);
      sum.depth = Math.max(sum.depth, measure.depth);
      sum.aliases += measure.aliases;
      sum.directives += measure.directives + (node.directives?.length ?? 0);
      sum.cost += measure.cost;
    }
    return sum;
  }

  return document.definitions.flatMap((node) => {
    if (node.kind !== Kind.OPERATION_DEFINITION) return [];
    const root = schema.getRootType(node.operation) ?? undefined;
    const { depth, aliases, directives, cost } = ofSelection(node.selectionSet, root);
    return [
      ...over('levels', depth, limits.maxDepth),
      ...over('aliases', aliases, limits.maxAliases),
      ...over('directives', directives + (node.directives?.length ?? 0), limits.maxDirectives),
      ...over('fields to yield', cost, limits.maxCost),
    ];
  });
}

/** Of one selection set. What the rules of validation compare in it grows with the square of this. */
const MAX_SELECTIONS = 100;

/** Selection sets too wide to be validated at all: asked before the rules, by a walk of the text alone. */
export function tooWide(document: DocumentNode): GraphQLError[] {
  let widest = 0;
  visit(document, {
    SelectionSet(node) {
      widest = Math.max(widest, node.selections.length);
    },
  });
  return over('selections in one place', widest, MAX_SELECTIONS);
}

/** Arguments that say how long a list shall be. */
const SIZES: ReadonlySet<string> = new Set(['first', 'last']);

const NOTHING: Measure = { depth: 0, aliases: 0, directives: 0, cost: 0 };

type MaybeType = GraphQLNamedType | undefined;

function fieldsOf(type: MaybeType) {
  return isObjectType(type) || isInterfaceType(type) ? type.getFields() : undefined;
}

/** How many of what a field selects it may yield. */
function sizeOf(node: FieldNode, parent: MaybeType): number {
  const size = node.arguments?.find(({ name }) => SIZES.has(name.value))?.value;
  if (!size) {
    const fields = fieldsOf(parent) ?? {};
    const field = fields[node.name.value];
    const isPaged = field?.args.some(({ name }) => SIZES.has(name)) ?? false;
    // What is on a page was counted where the page was asked for.
    const isList = field !== undefined && isListType(getNullableType(field.type)) && !('pageInfo' in fields);
    return isPaged || isList ? DEFAULT_PAGE_SIZE : 1;
  }
  return size.kind === Kind.INT ? Math.max(1, Math.min(Number(size.value), MAX_PAGE_SIZE)) : MAX_PAGE_SIZE;
}

function over(what: string, count: number, limit: number): GraphQLError[] {
  if (count <= limit) return [];
  return [breach(`The operation has ${count} ${what}; at most ${limit} are allowed.`, limit)];
}

export function breach(message: string, limit: number): GraphQLError {
  const { retryable } = ERROR_CATALOGUE.OPERATION_TOO_COMPLEX;
  return new GraphQLError(message, { extensions: { code: 'OPERATION_TOO_COMPLEX', retryable, limit } });
}
