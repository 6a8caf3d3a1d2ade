import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  root: path('.'),
  base: '/console/',
  // The service replaces it in each response, so that style elements of the components pass the Content-Security-Policy.
  html: { cspNonce: '%NONCE%' },
  // The source of the client, so that the console does not depend on the order of the builds.
  resolve: { alias: { '@signalbox/client': path('../packages/client/src/index.ts') } },
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    outDir: path('../dist/console'),
    emptyOutDir: true,
    target: 'es2022',
    // Files, because the policy allows no fonts or scripts from data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_500,
    reportCompressedSize: false,
    rolldownOptions: {
      onLog(level, log, handler) {
        // The components mark their files for servers that render React; here everything runs in the browser.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handler(level, log);
      },
    },
  },
});
