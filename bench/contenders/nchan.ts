import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Contender } from '../contender.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { running, startProcess } from './program.ts';

const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';

/** nginx with the nchan module, one worker; publishes over a WebSocket too. Debian: nginx, libnginx-mod-nchan. */
export const nchan: Contender = {
  name: 'nchan',
  label: 'nchan (nginx, C)',
  missing() {
    if (nginxVersion() === undefined) return 'nginx is not installed (Debian: nginx and libnginx-mod-nchan).';
    return existsSync(MODULE) ? undefined : `${MODULE} is not there (Debian: libnginx-mod-nchan).`;
  },
  async start() {
    const folder = createTemporaryFolder();
    const port = await freePort();
    const file = join(folder.path, 'nginx.conf');
    writeFileSync(file, configuration(port));
    const { child } = await startProcess('nginx', ['-p', folder.path, '-c', file, '-e', 'stderr'], {
      isUp: (said) => (said.includes('start worker processes') ? true : undefined),
    });
    const endpoint = {
      port,
      pid: child.pid!,
      dialect: 'plain',
      subscribePath: '/subscribe',
      publishPath: '/publish',
      operationIds: 'shared',
    } as const;
    return running(child, endpoint, { after: () => folder[Symbol.dispose](), lastWord: 'SIGTERM' });
  },
};

/** Undefined where there is none. */
export function nginxVersion(): string | undefined {
  try {
    // It says so on standard error.
    const said = execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' });
    return said.trim().replace('nginx version: ', '');
  } catch {
    return undefined;
  }
}

function configuration(port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `load_module ${MODULE};
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
worker_rlimit_nofile 20000;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 18000; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join('\n  ')}
  nchan_shared_memory_size 256M;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /subscribe {
      nchan_subscriber websocket;
      nchan_channel_id bench;
      nchan_subscriber_first_message newest;
    }
    location = /publish {
      nchan_publisher websocket;
      nchan_channel_id bench;
      nchan_message_buffer_length 1000;
      nchan_message_timeout 60s;
    }
  }
}
`;
}

/** nginx cannot be asked which port it took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
