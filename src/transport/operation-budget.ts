import { type DocumentNode } from 'graphql';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { RateLimit } from '../rate-limit.ts';
import { type Caller } from '../tokens/caller.ts';
import { costOf } from './document-limits.ts';

/** Cost of any operation, for its message, its document and its answer. */
const BASE_COST = 10;

/** Limits the cost of operations, reads included, per API key, per token and per network address. */
export interface OperationBudget {
  /**
   * Takes the cost of an operation before it is executed. API keys have a budget of their own and do not use up the
   * budget of their address. An operation that exceeds a full budget is accepted, because `maxCost` limits it.
   * @returns the cost
   * @throws RATE_LIMITED with `retryAfterSeconds`
   */
  take(
    source: { caller: Caller; address: string },
    document: DocumentNode,
    operationName: string | null | undefined,
  ): number;
}

export function createOperationBudget(
  config: Pick<
    Config,
    'operationCostPerSecondPerKey' | 'operationCostPerSecondPerToken' | 'operationCostPerSecondPerAddress'
  >,
  clock: Clock,
): OperationBudget {
  const limitOf = (perSecond: number, owner: string) =>
    new RateLimit(clock, perSecond, `operations ${owner}, by their cost`);
  const perKey = limitOf(config.operationCostPerSecondPerKey, 'by this API key');
  const perToken = limitOf(config.operationCostPerSecondPerToken, 'by this token');
  const perAddress = limitOf(config.operationCostPerSecondPerAddress, 'from your address');

  return {
    take({ caller, address }, document, operationName) {
      const cost = BASE_COST + costOf(document, operationName);
      if (caller.kind === 'API_KEY') perKey.take(caller.apiKey.id, cost);
      else {
        // A refusal takes from neither budget.
        perAddress.require(address, cost);
        if (caller.kind === 'TOKEN') perToken.take(caller.token.id, cost);
        perAddress.take(address, cost);
      }
      return cost;
    },
  };
}
