/** One work on one contender: its server, its process and its files live as long as the measurement. */
import { rmSync } from 'node:fs';
import { makeDataFolder } from '../data-folder.ts';
import { Subprocess } from '../subprocess.ts';
import { amountOf, type Contender, type ServerName, type WorkName } from './contenders.ts';
import type { EngineQuestion } from './engine-process.ts';
import { startPostgres } from './servers/postgres.ts';
import { startRedis } from './servers/redis.ts';
import { startRestate } from './servers/restate.ts';
import type { Server } from './servers/server.ts';
import type { PeerFigures } from './works.ts';

interface Conditions {
  /** The program of the Node that runs it. */
  readonly node: string;
  /** Where its packages are installed. */
  readonly packages: string;
  /** How many one-step tasks the whole run is about. */
  readonly n: number;
}

type StartServer = (folder: string, packages: string) => Promise<Server>;

const servers: Readonly<Record<ServerName, StartServer>> = {
  postgres: startPostgres,
  redis: (folder) => startRedis(folder, false),
  'redis-durable': (folder) => startRedis(folder, true),
  restate: startRestate,
};

/** Whether what it needs can be started on this machine. @throws Error with the reason why not. */
export async function tryServer(name: ServerName, packages: string): Promise<void> {
  await inDataFolder(async (folder) => (await servers[name](folder, packages)).stop());
}

/** @throws Error when the work was done wrong, or not at all. */
export async function measureEngine(
  { engine, server: serverName }: Contender,
  work: WorkName,
  { node, packages, n }: Conditions,
): Promise<PeerFigures> {
  return inDataFolder(async (folder) => {
    const server =
      serverName === undefined ? undefined : await servers[serverName](folder, packages);
    const subprocess = new Subprocess(new URL('./engine-process.ts', import.meta.url), node);
    try {
      const question: EngineQuestion = {
        engine,
        work,
        n: amountOf[work](n),
        packages,
        folder,
        urls: server?.urls ?? {},
        ...(server === undefined ? {} : { serverPid: server.pid }),
      };
      return await subprocess.ask<PeerFigures>('measure', question);
    } finally {
      await subprocess.leave();
      await server?.stop();
    }
  });
}

async function inDataFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = makeDataFolder();
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  try {
    return await use(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}
