import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type ASTVisitor,
  type DirectiveNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

const CONDITIONAL: ReadonlySet<string> = new Set(['skip', 'include']);

/**
 * Validation rule: no root selection of a subscription is conditional, as the GraphQL specification demands since 2025.
 * Without its root field, a subscription has no source of events, and graphql-js throws an error that is not the client's.
 */
export function UnconditionalSubscriptionRule(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition({ operation, selectionSet }) {
      if (operation !== OperationTypeNode.SUBSCRIPTION) return;
      const nodes = conditionsOfRoot(context, selectionSet, new Set());
      if (nodes.length > 0) {
        const message = 'The root field of a subscription must not have @skip or @include.';
        context.reportError(new GraphQLError(message, { nodes }));
      }
    },
  };
}

/** The conditions of the selections at the root, through fragments. `seen` ends fragments that spread themselves. */
function conditionsOfRoot(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  seen: Set<string>,
): DirectiveNode[] {
  return selections.flatMap((node) => {
    const conditions = (node.directives ?? []).filter(({ name }) => CONDITIONAL.has(name.value));
    if (node.kind === Kind.FIELD) return conditions;
    if (node.kind === Kind.INLINE_FRAGMENT)
      return [...conditions, ...conditionsOfRoot(context, node.selectionSet, seen)];
    const name = node.name.value;
    const fragment = seen.has(name) ? undefined : context.getFragment(name);
    seen.add(name);
    return fragment ? [...conditions, ...conditionsOfRoot(context, fragment.selectionSet, seen)] : conditions;
  });
}
