import { type BrowserWindow } from './browser.ts';

/** What an operator does on the page of the activity while it is full of messages, once. */
export async function useActivity({ page }: BrowserWindow, channel: string): Promise<void> {
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

/** What the page of the connections shows when it has read them all. */
const ALL_READ = /^[1-9][0-9]* connections/;

/** Waits for the first list of all connections, which alone costs as much as an open window in half a minute. */
export async function awaitConnections({ page }: BrowserWindow): Promise<void> {
  await page.getByText(ALL_READ).waitFor();
}

/** What an operator does on the page of all connections, once. */
export async function useConnections(window: BrowserWindow): Promise<void> {
  const { page } = window;
  await awaitConnections(window);
  await page.getByRole('button', { name: 'Client', exact: true }).click();
  await page.getByRole('button', { name: 'Since', exact: true }).click();
  await page.getByRole('region', { name: 'Connections' }).press('End');
  await page.getByRole('region', { name: 'Connections' }).press('Home');
  await page.getByLabel('Connection', { exact: true }).pressSequentially('conn_a');
  await page.getByLabel('Connection', { exact: true }).fill('');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}
