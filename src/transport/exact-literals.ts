import {
  GraphQLError,
  Kind,
  visit,
  type ASTNode,
  type DocumentNode,
  type FloatValueNode,
  type IntValueNode,
} from 'graphql';
import { inexactNumber, isExactNumber, pathToText } from '../exact-numbers.ts';

/** The errors for numbers in a document that a double cannot carry exactly, each with the path from its argument. */
export function inexactLiterals(document: DocumentNode): GraphQLError[] {
  const errors: GraphQLError[] = [];
  const check = (
    node: IntValueNode | FloatValueNode,
    _key: unknown,
    parent: ASTNode | readonly ASTNode[] | undefined,
    _path: unknown,
    ancestors: readonly (ASTNode | readonly ASTNode[])[],
  ) => {
    if (isExactNumber(node.value)) return;
    const { message, code, retryable, fields } = inexactNumber(
      pathTo([...ancestors, ...(parent ? [parent] : []), node]),
    );
    errors.push(new GraphQLError(message, { nodes: node, extensions: { code, retryable, ...fields } }));
  };
  visit(document, { [Kind.INT]: check, [Kind.FLOAT]: check });
  return errors;
}

/** For example `data.ids[0]`: the argument or variable, then the members and indexes of its value. */
function pathTo(chain: readonly (ASTNode | readonly ASTNode[])[]): string {
  const path: (string | number)[] = [];
  for (const [index, ancestor] of chain.entries()) {
    if (!('kind' in ancestor)) {
      const child = chain[index + 1];
      const holder = chain[index - 1];
      const isList = holder && 'kind' in holder && holder.kind === Kind.LIST;
      if (isList && child && 'kind' in child) path.push(ancestor.indexOf(child));
    } else if (ancestor.kind === Kind.ARGUMENT || ancestor.kind === Kind.OBJECT_FIELD) {
      path.push(ancestor.name.value);
    } else if (ancestor.kind === Kind.VARIABLE_DEFINITION) {
      path.push(`$${ancestor.variable.name.value}`);
    }
  }
  return pathToText(path);
}
