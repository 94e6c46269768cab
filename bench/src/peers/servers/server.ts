/** A server of a peer: a process with a folder and a port of its own, on the loopback, that ends with the benchmark. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface Server {
  readonly pid: number;
  /** Where its clients find it, by what they look for. */
  readonly urls: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

interface Program {
  readonly name: string;
  readonly path: string;
  readonly words: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** What ends it, and what ends it when the benchmark itself ends. */
  readonly stopSignal: NodeJS.Signals;
  readonly quitSignal: NodeJS.Signals;
  readonly urls: Readonly<Record<string, string>>;
  /** Rejects or answers false until it serves. */
  isReady(): Promise<boolean>;
}

const startsWithinMs = 60_000;

/** @throws Error with the server's last line when it does not come up. */
export async function startServer(program: Program): Promise<Server> {
  const { name, path, words, cwd, env, uid, gid, stopSignal, quitSignal, urls } = program;
  const child = spawn(path, words, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  const quit = (): void => void child.kill(quitSignal);
  process.once('exit', quit);
  const lastWords = tailOf(child);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  void ended.then(() => process.off('exit', quit));
  const stop = async (): Promise<void> => {
    child.kill(stopSignal);
    await ended;
  };
  const giveUpAt = performance.now() + startsWithinMs;
  while (!(await program.isReady().catch(() => false))) {
    if (child.pid === undefined || child.exitCode !== null || performance.now() > giveUpAt) {
      await stop();
      throw new Error(`${name} did not start: ${lastWords()}`);
    }
    await pause(50);
  }
  if (child.pid === undefined) throw new Error(`${name} has no process`);
  return { pid: child.pid, urls, stop };
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

function tailOf(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = `${text}${chunk.toString()}`.slice(-1000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.once('error', (error) => keep(Buffer.from(error.message)));
  return () => text.trim().split('\n').at(-1) ?? '';
}
