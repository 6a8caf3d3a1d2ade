import fc from 'fast-check';
import {
  getNamedType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** A piece of a selection. */
type Piece =
  | { kind: 'FIELD'; name: string; argument: string; directive: string; pieces: Piece[] | null }
  | { kind: 'FRAGMENT'; on: string; isNamed: boolean; directive: string; pieces: Piece[] };

/** Whether a field of a type may be selected somewhere below `within`. */
export type Allows = (within: string, type: string, field: string) => boolean;

/** What the selections use: directives and arguments by variables, each with a default. */
export const SELECTION_VARIABLES = { v: 'Boolean! = true', w: 'Boolean! = false', n: 'Int = 2' };
const DIRECTIVES = [
  '',
  '',
  '',
  '',
  '@include(if: $v)',
  '@skip(if: $w)',
  '@skip(if: $v)',
  '@include(if: true)',
];
const ARGUMENTS = ['', '(first: $n)', '(first: 1)'];
const BACKWARDS = ['(last: 1)', '(last: $n)', '(last: 50)'];

/**
 * Any selection of a type's fields, a few levels deep, with fragments, aliases, arguments and directives. For an
 * interface, of each of its types, by fragments. Prints as the selection and the fragments that it names.
 */
export function selectionsOf(schema: GraphQLSchema, typeName: string, levels: number, allows: Allows) {
  const known = new Map<string, fc.Arbitrary<Piece[]>>();

  function piecesOf(type: GraphQLObjectType | GraphQLInterfaceType, left: number, within: string) {
    const key = `${type.name} ${left} ${within}`;
    const made = known.get(key) ?? makePieces(type, left, within);
    known.set(key, made);
    return made;
  }

  function makePieces(
    type: GraphQLObjectType | GraphQLInterfaceType,
    left: number,
    within: string,
  ): fc.Arbitrary<Piece[]> {
    const fields = Object.values(type.getFields())
      .filter((field) => allows(within, type.name, field.name))
      .filter((field) => left > 0 || isLeafType(getNamedType(field.type)));
    const some = fc.tuple(
      ...fields.map((field) => sometimes(fieldPiece(field, left, within))),
      sometimes(
        fc.constant<Piece>({ kind: 'FIELD', name: '__typename', argument: '', directive: '', pieces: null }),
      ),
    );
    const own = some.map((pieces) => pieces.filter((piece) => piece !== null));
    if (!isInterfaceType(type)) {
      const again = sometimes(fragmentPiece(type.name, own), 5);
      return fc.tuple(own, again).map(([pieces, fragment]) => (fragment ? [...pieces, fragment] : pieces));
    }
    const perType = schema
      .getPossibleTypes(type)
      .map((possible) => sometimes(fragmentPiece(possible.name, piecesOf(possible, left, possible.name)), 2));
    return fc
      .tuple(own, ...perType)
      .map(([pieces, ...fragments]) => [...pieces, ...fragments.filter((fragment) => fragment !== null)]);
  }

  function fieldPiece(
    field: GraphQLField<unknown, unknown>,
    left: number,
    within: string,
  ): fc.Arbitrary<Piece> {
    const type = getNamedType(field.type);
    const names = field.args.map(({ name }) => name);
    return fc.record({
      kind: fc.constant('FIELD' as const),
      name: fc.constant(field.name),
      argument: names.includes('first')
        ? fc.constantFrom(...ARGUMENTS, ...(names.includes('last') ? BACKWARDS : []))
        : fc.constant(''),
      directive: fc.constantFrom(...DIRECTIVES),
      pieces:
        isObjectType(type) || isInterfaceType(type) ? piecesOf(type, left - 1, within) : fc.constant(null),
    });
  }

  const fragmentPiece = (on: string, pieces: fc.Arbitrary<Piece[]>): fc.Arbitrary<Piece> =>
    fc.record({
      kind: fc.constant('FRAGMENT' as const),
      on: fc.constant(on),
      isNamed: fc.boolean(),
      directive: fc.constantFrom(...DIRECTIVES),
      pieces,
    });

  const type = schema.getType(typeName);
  if (!isObjectType(type) && !isInterfaceType(type)) throw new TypeError(`${typeName} has no fields.`);
  return piecesOf(type, levels, typeName).map(print);
}

/** Once in so many times; null otherwise. */
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, times = 3): fc.Arbitrary<T | null> =>
  fc.oneof({ arbitrary: fc.constant(null), weight: times - 1 }, { arbitrary, weight: 1 });

/** Whatever might be merged with something else and differ from it gets a name of its own. */
function print(pieces: Piece[]): { selection: string; fragments: string } {
  const fragments: string[] = [];
  let aliases = 0;
  const printAll = (some: Piece[]): string => `{ ${some.map(printPiece).join(' ') || '__typename'} }`;
  const printPiece = (piece: Piece): string => {
    if (piece.kind === 'FIELD') {
      const { name, argument, directive, pieces: inner } = piece;
      const alias = aliases++ % 2 === 0 && argument === '' ? '' : `a${aliases}: `;
      return `${alias}${name}${argument} ${directive} ${inner ? printAll(inner) : ''}`;
    }
    const selection = printAll(piece.pieces);
    if (!piece.isNamed) return `... on ${piece.on} ${piece.directive} ${selection}`;
    const name = `F${aliases++}`;
    fragments.push(`fragment ${name} on ${piece.on} ${selection}`);
    return `...${name} ${piece.directive}`;
  };
  const selection = pieces.map(printPiece).join(' ');
  return { selection, fragments: fragments.join('\n') };
}
