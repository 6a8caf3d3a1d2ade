/* global React, ReactDOM, GraphiQL */
import { createFetcher } from './fetcher.js';
import { defaultHeaders, defaultTabs } from './tabs.js';

/**
 * The storage of GraphiQL in the browser. Headers are removed from its history, because they contain credentials.
 */
const storage = {
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) => localStorage.setItem(key, mayKeepHeaders(key) ? value : withoutHeaders(value)),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ownKeys().length;
  },
};

function mayKeepHeaders(key) {
  const isHistory = key === 'graphiql:queries' || key === 'graphiql:favorites';
  return !isHistory || localStorage.getItem('graphiql:shouldPersistHeaders') === 'true';
}

function withoutHeaders(history) {
  return JSON.stringify(JSON.parse(history), (key, value) => (key === 'headers' ? undefined : value));
}

function ownKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith('graphiql:'));
}

const logo = React.createElement(
  'span',
  { className: 'signalbox-logo' },
  React.createElement('img', { src: 'graphql/assets/icon.svg', alt: '' }),
  'Signalbox',
);

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(
    GraphiQL,
    {
      fetcher: createFetcher(new URL(location.pathname, location.origin)),
      storage,
      defaultTabs,
      defaultHeaders,
      defaultEditorToolsVisibility: 'headers',
      isHeadersEditorEnabled: true,
    },
    React.createElement(GraphiQL.Logo, null, logo),
  ),
);
