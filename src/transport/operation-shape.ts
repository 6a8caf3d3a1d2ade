/** Delivery: what `shared-operation` needs to know of the document of a subscription. */
import { createHash } from 'node:crypto';
import {
  isRequiredArgument,
  Kind,
  print,
  visit,
  type DefinitionNode,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

/** The part of an operation that determines its results: the text without root arguments, and the remaining variables. */
export interface OperationShape {
  /** A hash of the text. Each shared operation has a key, and a key with the text would retain a copy of it. */
  textHash: string;
  variables: string[];
  /** What is executed for all subscribers; see `withRequiredRootArguments`. */
  document: DocumentNode;
}

/** @param operationName empty: the document has one operation */
export function computeShape(
  document: DocumentNode,
  operationName: string,
  schema: GraphQLSchema,
): OperationShape {
  const texts: string[] = [];
  const variables = new Set<string>();
  const definitions: DefinitionNode[] = [];
  for (const node of document.definitions) {
    if (node.kind === Kind.OPERATION_DEFINITION) {
      if (operationName !== '' && node.name?.value !== operationName) continue;
      const operation = withoutRootArguments(node);
      texts.push(print(operation));
      collectVariables(operation, variables);
      definitions.push(withRequiredRootArguments(node, schema));
    } else {
      texts.push(print(node));
      collectVariables(node, variables);
      definitions.push(node);
    }
  }
  const textHash = createHash('sha256').update(texts.join('\n')).digest('base64');
  const names = [...variables].sort();
  return { textHash, variables: names, document: withUsedVariables({ ...document, definitions }) };
}

/** Root arguments select the source stream at subscribe time. The result of an event does not depend on them. */
function withoutRootArguments(
  operation: OperationDefinitionNode,
  isKept: (field: string, argument: string) => boolean = () => false,
): OperationDefinitionNode {
  const selections = operation.selectionSet.selections.map((node) =>
    node.kind === Kind.FIELD
      ? {
          ...node,
          arguments: node.arguments?.filter(({ name }) => isKept(node.name.value, name.value)) ?? [],
        }
      : node,
  );
  return { ...operation, selectionSet: { ...operation.selectionSet, selections } };
}

/**
 * graphql-js coerces the arguments of the root field and all variables again for every event, which takes a sixth of the
 * time of a small one. Only required arguments must be there.
 */
function withRequiredRootArguments(
  operation: OperationDefinitionNode,
  schema: GraphQLSchema,
): OperationDefinitionNode {
  const fields = schema.getSubscriptionType()?.getFields();
  return withoutRootArguments(operation, (field, argument) => {
    const definition = fields?.[field]?.args.find(({ name }) => name === argument);
    return definition !== undefined && isRequiredArgument(definition);
  });
}

function withUsedVariables(document: DocumentNode): DocumentNode {
  const used = new Set<string>();
  for (const node of document.definitions) collectVariables(node, used);
  const definitions = document.definitions.map((node) =>
    node.kind === Kind.OPERATION_DEFINITION
      ? {
          ...node,
          variableDefinitions:
            node.variableDefinitions?.filter(({ variable }) => used.has(variable.name.value)) ?? [],
        }
      : node,
  );
  return { ...document, definitions };
}

function collectVariables(node: DefinitionNode, into: Set<string>): void {
  visit(node, {
    VariableDefinition: () => false,
    Variable: (variable) => {
      into.add(variable.name.value);
    },
  });
}
