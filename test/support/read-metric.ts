import { type ServiceClient } from './service.ts';

/** The value of a metric without labels. */
export async function readMetric({ url }: Pick<ServiceClient, 'url'>, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}
