/**
 * `everstep worker` as a process, which is begun anew on demand: what was imported cannot be imported again.
 * dev-worker.ts is the other end.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Terminal } from './terminal.ts';

/** Of this file's own kind, so that it runs as this process does. */
const own = fileURLToPath(import.meta.url);
const entry = fileURLToPath(new URL(`./dev-worker${extname(own)}`, import.meta.url));
/** Beyond the grace that the worker itself gives. */
const lateMs = 10_000;
/** For what a process has said, once it has ended: one that it started may keep its output open. */
const restMs = 500;

export class WorkerProcess {
  readonly #args: readonly string[];
  readonly #graceMs: number;
  readonly #terminal: Terminal;
  readonly #note: (text: string) => void;
  #child: ChildProcess | undefined;
  #changing: Promise<void> = Promise.resolve();
  #asked = 0;
  #stopped = false;

  constructor(
    args: readonly string[],
    graceMs: number,
    terminal: Terminal,
    note: (text: string) => void,
  ) {
    this.#args = args;
    this.#graceMs = graceMs;
    this.#terminal = terminal;
    this.#note = note;
  }

  /** Ends the process there is, and begins one. Asked for again meanwhile, it is done once more and not twice. */
  restart(): void {
    this.#asked += 1;
    const asked = this.#asked;
    this.#changing = this.#changing.then(async () => {
      if (asked !== this.#asked) return;
      await this.#end();
      if (!this.#stopped) this.#begin();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#changing;
    await this.#end();
  }

  #begin(): void {
    const { out, err, env } = this.#terminal;
    const child = spawn(process.execPath, [...process.execArgv, entry, ...this.#args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
    });
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => out.write(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => err.write(text));
    child.on('error', (error) => {
      // Then there is no exit.
      if (this.#child === child && child.pid === undefined) this.#child = undefined;
      this.#note(`the worker could not be started: ${error.message}`);
    });
    child.on('exit', (code, signal) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#note(`the worker has ended (${signal ?? code}); waiting for a change`);
    });
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    const said = once(child, 'close');
    if (child.connected) child.send('stop', () => undefined);
    const late = setTimeout(() => child.kill('SIGKILL'), this.#graceMs + lateMs);
    await gone;
    clearTimeout(late);
    await Promise.race([said, pause(restMs)]);
  }
}
