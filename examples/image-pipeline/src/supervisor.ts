/**
 * Starts the demo's processes and ends them: in good order, or by SIGKILL as a crash would. One that ends
 * without being asked to is reported. It ends no process that it did not start.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = fileURLToPath(new URL('../', import.meta.url));
const stopMs = 15_000;

export interface Running {
  /** Where the process answers, if it does. */
  readonly url: string;
  readonly pid: number;
  /** Ends it at once, in the middle of whatever it does. */
  kill(): Promise<void>;
}

export class Supervisor {
  readonly #folder: string;
  readonly #onCrash: (problem: string) => void;
  readonly #children = new Map<ChildProcess, string>();

  /** Logs go to `folder`, a file for each name. */
  constructor(folder: string, onCrash: (problem: string) => void) {
    this.#folder = folder;
    this.#onCrash = onCrash;
  }

  /** Starts a module of this example; resolves when it has said that it is ready. */
  async start(name: string, module: URL, settings: Record<string, string>): Promise<Running> {
    const logFile = join(this.#folder, `${name}.log`);
    const log = openSync(logFile, 'a');
    const child = fork(fileURLToPath(module), [], {
      cwd: home,
      env: { ...process.env, ...settings },
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#children.set(child, name);
    const ended = exit(child).then(() => {
      if (!this.#children.delete(child)) return;
      const how = child.signalCode ?? `exit code ${child.exitCode}`;
      this.#onCrash(`the ${name} process ended by itself (${how}):\n${lastLines(logFile)}`);
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.once('message', (message: { ready: string }) => resolve(message.ready));
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`the ${name} process did not start`)));
    });
    const kill = async (): Promise<void> => {
      this.#children.delete(child);
      child.kill('SIGKILL');
      await ended;
    };
    return { url, pid: child.pid ?? 0, kill };
  }

  /** Asks every process to stop and waits. @returns what did not go as it should. */
  async stop(): Promise<string[]> {
    const stops = [...this.#children].map(async ([child, name]) => {
      this.#children.delete(child);
      const exited = exit(child);
      const late = setTimeout(() => child.kill('SIGKILL'), stopMs);
      child.disconnect();
      await exited;
      clearTimeout(late);
      if (child.exitCode === 0) return [];
      return [`the ${name} process did not stop in good order (${child.signalCode ?? 'error'})`];
    });
    return (await Promise.all(stops)).flat();
  }

  /** Ends every process at once, without waiting. */
  killAll(): void {
    for (const child of this.#children.keys()) child.kill('SIGKILL');
    this.#children.clear();
  }
}

function exit(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-20).join('\n');
}
