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

/** A field or a fragment of a selection. */
type Piece =
  | { kind: 'FIELD'; name: string; argument: string; directive: string; pieces: Piece[] | null }
  | { kind: 'FRAGMENT'; on: string; isNamed: boolean; directive: string; pieces: Piece[] };

/** Whether a field of a type may be selected anywhere below the type `within`. */
export type Allows = (within: string, type: string, field: string) => boolean;

/** The variables that the selections use in directives and arguments, each with a default. */
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
 * Arbitrary selections of the fields of a type, `levels` deep, with fragments, aliases, arguments and directives. For an
 * interface, the selections contain a fragment for each of its types. A value has the printed selection and the fragment
 * definitions that the selection uses.
 */
export function selectionsOf(schema: GraphQLSchema, typeName: string, levels: number, allows: Allows) {
  const known = new Map<string, fc.Arbitrary<Piece[]>>();

  function piecesOf(type: GraphQLObjectType | GraphQLInterfaceType, levelsLeft: number, within: string) {
    const key = `${type.name} ${levelsLeft} ${within}`;
    const pieces = known.get(key) ?? makePieces(type, levelsLeft, within);
    known.set(key, pieces);
    return pieces;
  }

  function makePieces(
    type: GraphQLObjectType | GraphQLInterfaceType,
    levelsLeft: number,
    within: string,
  ): fc.Arbitrary<Piece[]> {
    const fields = Object.values(type.getFields())
      .filter((field) => allows(within, type.name, field.name))
      .filter((field) => levelsLeft > 0 || isLeafType(getNamedType(field.type)));
    const optionalFields = fc.tuple(
      ...fields.map((field) => sometimes(fieldPiece(field, levelsLeft, within))),
      sometimes(
        fc.constant<Piece>({ kind: 'FIELD', name: '__typename', argument: '', directive: '', pieces: null }),
      ),
    );
    const fieldsOfType = optionalFields.map((pieces) => pieces.filter((piece) => piece !== null));
    if (!isInterfaceType(type)) {
      const again = sometimes(fragmentPiece(type.name, fieldsOfType), 5);
      return fc
        .tuple(fieldsOfType, again)
        .map(([pieces, fragment]) => (fragment ? [...pieces, fragment] : pieces));
    }
    const perType = schema
      .getPossibleTypes(type)
      .map((possible) =>
        sometimes(fragmentPiece(possible.name, piecesOf(possible, levelsLeft, possible.name)), 2),
      );
    return fc
      .tuple(fieldsOfType, ...perType)
      .map(([pieces, ...fragments]) => [...pieces, ...fragments.filter((fragment) => fragment !== null)]);
  }

  function fieldPiece(
    field: GraphQLField<unknown, unknown>,
    levelsLeft: number,
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
        isObjectType(type) || isInterfaceType(type)
          ? piecesOf(type, levelsLeft - 1, within)
          : fc.constant(null),
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

/** The value in one of `times` cases; null otherwise. */
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, times = 3): fc.Arbitrary<T | null> =>
  fc.oneof({ arbitrary: fc.constant(null), weight: times - 1 }, { arbitrary, weight: 1 });

/** Gives an alias to every field that GraphQL might otherwise merge with a differing selection of the same field. */
function print(pieces: Piece[]): { selection: string; fragments: string } {
  const fragments: string[] = [];
  let aliases = 0;
  const printAll = (all: Piece[]): string => `{ ${all.map(printPiece).join(' ') || '__typename'} }`;
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
