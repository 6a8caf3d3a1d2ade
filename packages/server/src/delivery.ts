import { ExplainDeliveryDocument, type ExplainDeliveryQuery } from './generated/operations.ts';
import { type CallOptions } from './options.ts';
import { type Request } from './transport/request.ts';

/** Whether a message reached a token, as far as the nodes that answered know. */
export type DeliveryExplanation = ExplainDeliveryQuery['explainDelivery'];

/** The call `signalbox.explainDelivery`. */
export function createExplainDelivery(request: Request) {
  /**
   * Tells whether a token received a message, on which connections, and if not, why. `UNKNOWN` where the nodes cannot know:
   * `because` says why, `unansweredNodes` and `endedNodes` name the nodes without an answer.
   * @throws SignalboxError NOT_FOUND when the token does not exist
   */
  return async (
    { message, token }: { message: string; token: string },
    options?: CallOptions,
  ): Promise<DeliveryExplanation> =>
    (await request(ExplainDeliveryDocument, { message, token }, 'repeatable', options)).explainDelivery;
}
