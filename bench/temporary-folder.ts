import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Creates a temporary folder, which is removed when it is disposed or when this process exits. */
export function createTemporaryFolder(parent = tmpdir()): { path: string } & Disposable {
  const path = mkdtempSync(join(parent, 'signalbox-bench-'));
  const remove = () => rmSync(path, { recursive: true, force: true });
  process.on('exit', remove);
  return {
    path,
    [Symbol.dispose]() {
      process.off('exit', remove);
      remove();
    },
  };
}
