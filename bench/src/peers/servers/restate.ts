/** A single Restate server as it comes; its log is written to the disk before an answer. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startServer, type Server } from './server.ts';

/** @throws Error when npm brought no program for this machine, or it does not start. */
export async function startRestate(parent: string, packages: string): Promise<Server> {
  const folder = join(parent, 'restate');
  mkdirSync(folder);
  const ports = { node: await freePort(), ingress: await freePort(), admin: await freePort() };
  const admin = `http://127.0.0.1:${ports.admin}`;
  return startServer({
    name: 'Restate',
    path: programIn(packages),
    words: ['--no-logo', '--listen-mode', 'tcp', '--base-dir', folder],
    cwd: folder,
    env: {
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LOG_FILTER: 'warn',
      RESTATE_BIND_IP: '127.0.0.1',
      RESTATE_ADVERTISED_HOST: '127.0.0.1',
      RESTATE_BIND_PORT: String(ports.node),
      RESTATE_INGRESS__BIND_PORT: String(ports.ingress),
      RESTATE_ADMIN__BIND_PORT: String(ports.admin),
      // Its default, said aloud.
      RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: 'false',
    },
    stopSignal: 'SIGKILL',
    quitSignal: 'SIGKILL',
    urls: { ingress: `http://127.0.0.1:${ports.ingress}`, admin },
    isReady: async () => {
      const answers = await Promise.all([
        fetch(`${admin}/health`),
        fetch(`http://127.0.0.1:${ports.ingress}/restate/health`),
      ]);
      return answers.every(({ ok }) => ok);
    },
  });
}

function programIn(packages: string): string {
  const scope = join(packages, 'node_modules/@restatedev');
  const path = readdirSync(scope)
    .map((name) => join(scope, name, 'bin/restate-server'))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new Error(`Restate has no server for ${process.platform} ${process.arch}`);
  }
  return path;
}
