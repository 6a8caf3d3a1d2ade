import { COUNT_SETTINGS } from './settings/count-settings.ts';
import { DOCUMENT_SETTINGS } from './settings/document-settings.ts';
import { NETWORK_SETTINGS } from './settings/network-settings.ts';
import { RATE_SETTINGS } from './settings/rate-settings.ts';
import { SERVICE_SETTINGS } from './settings/service-settings.ts';
import { SIZE_SETTINGS } from './settings/size-settings.ts';
import { STORAGE_SETTINGS } from './settings/storage-settings.ts';

export { type Setting } from './settings/setting.ts';

/**
 * The settings of the operator: the single source of names, defaults, units and ranges. The reference and `.env.example`
 * are printed from it.
 */
export const SETTING_GROUPS = [
  { title: 'Network', settings: NETWORK_SETTINGS },
  { title: 'Service', settings: SERVICE_SETTINGS },
  { title: 'Storage and retention', settings: STORAGE_SETTINGS },
  { title: 'Sizes', settings: SIZE_SETTINGS },
  { title: 'Numbers of connections, operations and memberships', settings: COUNT_SETTINGS },
  { title: 'Rates', settings: RATE_SETTINGS },
  { title: 'GraphQL documents', settings: DOCUMENT_SETTINGS },
] as const;

export const SETTINGS = {
  ...NETWORK_SETTINGS,
  ...SERVICE_SETTINGS,
  ...STORAGE_SETTINGS,
  ...SIZE_SETTINGS,
  ...COUNT_SETTINGS,
  ...RATE_SETTINGS,
  ...DOCUMENT_SETTINGS,
};
