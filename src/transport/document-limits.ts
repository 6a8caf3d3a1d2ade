import {
  getNamedType,
  getNullableType,
  getOperationAST,
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
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { ERROR_CATALOGUE } from '../errors.ts';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../paging.ts';

/** Limits of one operation. `settings.ts` documents what each of them counts. */
export interface DocumentLimits {
  maxDepth: number;
  maxAliases: number;
  maxDirectives: number;
  maxCost: number;
}

/** The size of a selection. */
interface Measure {
  depth: number;
  aliases: number;
  directives: number;
  /** The fields that the result may have. */
  cost: number;
  /** The rows that are read. */
  rows: number;
}

/**
 * Finds the limits that the operations of a valid document exceed. A fragment counts at every spread, but is measured
 * only once. A list whose size is a variable costs as much as the largest page, so that the cost does not depend on the
 * variables of a request; a list without a size costs as much as a page of the default size.
 */
export function findLimitErrors(
  schema: GraphQLSchema,
  document: DocumentNode,
  limits: DocumentLimits,
): GraphQLError[] {
  return measureOperations(schema, document).flatMap(({ operation, size }) => {
    const { depth, aliases, directives, cost, rows } = size;
    costs.set(operation, cost + rows * ROW_COST);
    return [
      ...check('levels', depth, limits.maxDepth),
      ...check('aliases', aliases, limits.maxAliases),
      ...check('directives', directives + (operation.directives?.length ?? 0), limits.maxDirectives),
      ...check('result fields', cost, limits.maxCost),
    ];
  });
}

/** The cost of each operation that `findLimitErrors` has measured. */
const costs = new WeakMap<OperationDefinitionNode, number>();

/** The cost of an operation of a validated document: the fields that it may return, and the rows that it reads. */
export function costOf(document: DocumentNode, operationName: string | null | undefined): number {
  const operation = getOperationAST(document, operationName);
  return (operation && costs.get(operation)) ?? 0;
}

function measureOperations(
  schema: GraphQLSchema,
  document: DocumentNode,
): { operation: OperationDefinitionNode; size: Measure }[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const measured = new Map<string, Measure>();

  function measureFragment(name: string): Measure {
    const cached = measured.get(name);
    if (cached) return cached;
    const fragment = fragments.get(name);
    const measure = fragment ? measureSelection(fragment.selectionSet, typeOf(fragment)) : EMPTY;
    measured.set(name, measure);
    return measure;
  }

  function typeOf({ typeCondition }: { typeCondition?: NamedTypeNode | undefined }): MaybeType {
    return typeCondition && schema.getType(typeCondition.name.value);
  }

  function measureField(field: FieldNode, parent: MaybeType): Measure {
    const type = fieldsOf(parent)?.[field.name.value]?.type;
    const inner = field.selectionSet
      ? measureSelection(field.selectionSet, type && getNamedType(type))
      : EMPTY;
    return {
      depth: inner.depth + 1,
      aliases: inner.aliases + (field.alias ? 1 : 0),
      directives: inner.directives,
      ...sizeOf(inner, listSizeOf(field, parent), isPage(field, parent)),
    };
  }

  function measureSelection({ selections }: SelectionSetNode, parent: MaybeType): Measure {
    const sum = { ...EMPTY };
    for (const node of selections) {
      const measure =
        node.kind === Kind.FIELD
          ? measureField(node, parent)
          : node.kind === Kind.FRAGMENT_SPREAD
            ? measureFragment(node.name.value)
            : measureSelection(node.selectionSet, typeOf(node) ?? parent);
      sum.depth = Math.max(sum.depth, measure.depth);
      sum.aliases += measure.aliases;
      sum.directives += measure.directives + (node.directives?.length ?? 0);
      sum.cost += measure.cost;
      sum.rows += measure.rows;
    }
    return sum;
  }

  return document.definitions.flatMap((operation) => {
    if (operation.kind !== Kind.OPERATION_DEFINITION) return [];
    const root = schema.getRootType(operation.operation) ?? undefined;
    return [{ operation, size: measureSelection(operation.selectionSet, root) }];
  });
}

/** Limit of one selection set. The time of validation grows with the square of this number. */
const MAX_SELECTIONS = 100;

/** Finds selection sets that are too wide to be validated. Runs before validation and takes linear time. */
export function findWideSelections(document: DocumentNode): GraphQLError[] {
  let widest = 0;
  visit(document, {
    SelectionSet(node) {
      widest = Math.max(widest, node.selections.length);
    },
  });
  return check('selections in one selection set', widest, MAX_SELECTIONS);
}

/** Cost of a row that is read, compared with that of a field. */
const ROW_COST = 5;

/** @param size the number of items of a list; 1 if the field is no list */
function sizeOf(inner: Measure, size: number, isPage: boolean): Pick<Measure, 'cost' | 'rows'> {
  // The rows of a page are read even if none of their fields is selected.
  return { cost: 1 + inner.cost * size, rows: (inner.rows + (isPage ? 1 : 0)) * size };
}

/** Arguments that set the size of a list. */
const SIZE_ARGUMENTS: ReadonlySet<string> = new Set(['first', 'last']);

const EMPTY: Measure = { depth: 0, aliases: 0, directives: 0, cost: 0, rows: 0 };

type MaybeType = GraphQLNamedType | undefined;

function fieldsOf(type: MaybeType) {
  return isObjectType(type) || isInterfaceType(type) ? type.getFields() : undefined;
}

/** Whether a field returns a page of rows. */
function isPage({ name }: FieldNode, parent: MaybeType): boolean {
  return fieldsOf(parent)?.[name.value]?.args.some((arg) => SIZE_ARGUMENTS.has(arg.name)) ?? false;
}

/** The largest number of items that a field returns, which multiplies the cost of its selection. 1 if it is no list. */
function listSizeOf(node: FieldNode, parent: MaybeType): number {
  const size = node.arguments?.find(({ name }) => SIZE_ARGUMENTS.has(name.value))?.value;
  if (!size) {
    const fields = fieldsOf(parent) ?? {};
    const field = fields[node.name.value];
    // Lists inside a page (`nodes`, `edges`) are already counted at the field that returns the page.
    const isList = field !== undefined && isListType(getNullableType(field.type)) && !('pageInfo' in fields);
    return isPage(node, parent) || isList ? DEFAULT_PAGE_SIZE : 1;
  }
  return size.kind === Kind.INT ? Math.max(1, Math.min(Number(size.value), MAX_PAGE_SIZE)) : MAX_PAGE_SIZE;
}

function check(unit: string, count: number, limit: number): GraphQLError[] {
  if (count <= limit) return [];
  return [limitError(`The operation has ${count} ${unit}; at most ${limit} are allowed.`, limit)];
}

/** An OPERATION_TOO_COMPLEX error with the limit in its extensions. */
export function limitError(message: string, limit: number): GraphQLError {
  const { retryable } = ERROR_CATALOGUE.OPERATION_TOO_COMPLEX;
  return new GraphQLError(message, { extensions: { code: 'OPERATION_TOO_COMPLEX', retryable, limit } });
}
