import { type ConsoleWindow } from './browser.ts';

/** What an operator does on the page of the activity while it is full of messages, once. */
export async function useActivity({ page }: ConsoleWindow, channel: string): Promise<void> {
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('MESSAGE', { exact: true }).click();
  await page.getByText('MESSAGE', { exact: true }).click();
  await page.getByRole('switch', { name: 'Show data' }).click();
  await page.getByRole('switch', { name: 'Show data' }).click();
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByLabel('Channel', { exact: true }).pressSequentially(channel);
  await page.getByLabel('Channel', { exact: true }).fill('');
  await page.getByRole('region', { name: 'Live activity' }).first().press('PageDown');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByLabel('An id, an identity or a page').pressSequentially('overview');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** What an operator does on the page of all connections, once. */
export async function useConnections({ page }: ConsoleWindow, loaded: string): Promise<void> {
  await page.getByText(loaded).waitFor();
  await page.getByRole('button', { name: 'Client', exact: true }).click();
  await page.getByRole('button', { name: 'Since', exact: true }).click();
  await page.getByRole('region', { name: 'Connections' }).press('End');
  await page.getByRole('region', { name: 'Connections' }).press('Home');
  await page.getByLabel('Connection', { exact: true }).pressSequentially('conn_a');
  await page.getByLabel('Connection', { exact: true }).fill('');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}
