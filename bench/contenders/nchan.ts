import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender } from '../contender.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { freePort } from './free-port.ts';
import { running, startProcess } from './program.ts';

const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';

/** nginx with the nchan module and one worker. Publishes over WebSocket as well. Debian packages: nginx, libnginx-mod-nchan. */
export const nchan: Contender = {
  name: 'nchan',
  label: 'nchan (nginx, C)',
  missing() {
    if (nginxVersion() === undefined)
      return 'nginx is not installed. On Debian, install nginx and libnginx-mod-nchan.';
    return existsSync(MODULE)
      ? undefined
      : `${MODULE} does not exist. On Debian, install libnginx-mod-nchan.`;
  },
  async start() {
    const folder = createTemporaryFolder();
    const port = await freePort();
    const file = join(folder.path, 'nginx.conf');
    writeFileSync(file, configuration(port));
    const { child } = await startProcess('nginx', ['-p', folder.path, '-c', file, '-e', 'stderr'], {
      parseOutput: (output) => (output.includes('start worker processes') ? true : undefined),
    });
    const endpoint = {
      port,
      pid: child.pid!,
      protocol: 'plain',
      subscribePath: '/subscribe',
      publishPath: '/publish',
      operationIds: 'shared',
    } as const;
    return running(child, endpoint, { after: () => folder[Symbol.dispose](), killSignal: 'SIGTERM' });
  },
};

/** The version of nginx, or undefined if it is not installed. */
export function nginxVersion(): string | undefined {
  try {
    // nginx prints its version on standard error.
    const output = execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' });
    return output.trim().replace('nginx version: ', '');
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
