/** Redis, as it comes or with every write on the disk before its answer. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { cacheFolder } from '../packages-folder.ts';
import { freePort, startServer, type Server } from './server.ts';

interface Program {
  readonly path: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** @throws Error when it can neither be found nor had, or does not start. */
export async function startRedis(parent: string, durable: boolean): Promise<Server> {
  const program = foundProgram() ?? debianProgram();
  const folder = join(parent, 'redis');
  mkdirSync(folder);
  const port = await freePort();
  const persistence = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : [];
  return startServer({
    name: 'Redis',
    ...program,
    words: ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, ...persistence],
    cwd: folder,
    stopSignal: 'SIGTERM',
    quitSignal: 'SIGKILL',
    urls: { redis: `redis://127.0.0.1:${port}` },
    isReady: () =>
      new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
        socket.once('data', (data) => {
          socket.destroy();
          resolve(data.toString().startsWith('+PONG'));
        });
        socket.once('error', reject);
      }),
  });
}

function foundProgram(): Program | undefined {
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find((candidate) => existsSync(candidate));
  return path === undefined ? undefined : { path };
}

/** Debian's packages, unpacked into the cache: nothing is installed. */
function debianProgram(): Program {
  const folder = cacheFolder('redis');
  const path = join(folder, 'usr/bin/redis-server');
  try {
    if (!existsSync(path)) unpackDebian(folder, 'redis-server');
  } catch (cause) {
    throw new Error('redis-server is not on this machine, and apt does not bring it', { cause });
  }
  const libraries = readdirSync(join(folder, 'usr/lib'))
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(folder, 'usr/lib', name));
  return { path, env: { LD_LIBRARY_PATH: libraries.join(delimiter) } };
}

function unpackDebian(folder: string, wanted: string): void {
  const run = (program: string, words: readonly string[]): string =>
    execFileSync(program, words, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const plan = run('apt-get', ['install', '--simulate', '--no-install-recommends', wanted]);
  const names = [...plan.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => name ?? []);
  run('apt-get', ['download', ...names]);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    run('dpkg-deb', ['--extract', file, folder]);
  }
}
