import { getOperationAST, type DocumentNode } from 'graphql';

/** The variables that an operation declares. The others have no effect, so a running operation does not retain them. */
export function declaredVariables(
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Record<string, unknown>,
): Record<string, unknown> {
  const declared = getOperationAST(document, operationName)?.variableDefinitions ?? [];
  const names = declared
    .map(({ variable }) => variable.name.value)
    .filter((name) => Object.hasOwn(variables, name));
  // The common case, which needs no copy.
  if (names.length === Object.keys(variables).length) return variables;
  return Object.fromEntries(names.map((name) => [name, variables[name]]));
}
