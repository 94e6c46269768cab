/** A manager's end of the process of an integration: starts it, hears that it lives, and kills it when it does not. */
import { fork, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EverstepError, type ErrorCode } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import type { HeldWorker, WorkerStatus } from './held-worker.ts';
import type { ProcessOptions } from './manager-options.ts';
import { beatMs, type FromProcess, type ProcessSetup, type ToProcess } from './process-messages.ts';

/** Until it speaks, a process has loaded Node and this package alone: what takes long then is a busy machine. */
const bootMs = 300_000;
/** After the grace period and what an official worker is given on top of it. */
const stopMs = 5_000;

const own = fileURLToPath(import.meta.url);
const entry = fileURLToPath(new URL(`./worker-process${extname(own)}`, import.meta.url));

export interface IntegrationProcessOptions extends ProcessOptions {
  readonly name: string;
  readonly setup: ProcessSetup;
  readonly logger: Logger;
  /** Of a process for several: which integration it loads now, and undefined when it has loaded all. */
  readonly onLoading?: (source: string | undefined) => void;
}

/** Loading transpiles files one after the other, and may so be silent for longer than workers are. */
const loadingFactor = 3;

/** Resolves when its workers have been started. @throws EverstepError WORKER_PROCESS_ENDED, or why it could not start them. */
export function launchProcess(options: IntegrationProcessOptions): Promise<HeldWorker> {
  return new IntegrationProcess(options).started;
}

class IntegrationProcess implements HeldWorker {
  readonly started: Promise<HeldWorker>;
  readonly ended: Promise<void>;
  workers: readonly WorkerStatus[] = [];
  readonly #options: IntegrationProcessOptions;
  readonly #child: ChildProcess;
  readonly #watch: NodeJS.Timeout;
  /** Beats that did not come, counted here: the clock of a machine that slept jumps, and a count does not. */
  #missed = 0;
  #phase: 'boots' | 'loads' | 'runs' = 'boots';
  #stopping = false;
  /** Why it is being ended, or said that it would. */
  #reason: string | undefined;
  /** Of an error of ours that kept it from starting. */
  #code: ErrorCode | undefined;

  constructor(options: IntegrationProcessOptions) {
    this.#options = options;
    const { memoryMaxMb, execArgv, setup } = options;
    this.#child = fork(entry, [String(process.pid)], {
      execArgv: [
        ...execArgv,
        ...(memoryMaxMb === undefined ? [] : [`--max-old-space-size=${memoryMaxMb}`]),
      ],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    let resolve: (held: HeldWorker) => void = () => undefined;
    const up = new Promise<HeldWorker>((done) => (resolve = done));
    this.ended = new Promise((done, failed) => {
      // One that could not be started has no exit.
      this.#child.on('error', (error) => {
        clearInterval(this.#watch);
        failed(error);
      });
      this.#child.once('exit', (code, signal) => {
        clearInterval(this.#watch);
        if (this.#stopping) done();
        else failed(this.#endedBy(code, signal));
      });
    });
    this.started = Promise.race([up, this.ended.then(() => up)]);
    this.#child.on('message', (message: FromProcess) => {
      if (this.#take(message)) resolve(this);
    });
    this.#watch = setInterval(() => this.#look(), beatMs);
    this.#send({ kind: 'start', setup });
  }

  get polls(): number {
    return this.workers.reduce((sum, worker) => sum + worker.polls, 0);
  }

  get running(): number {
    return this.workers.reduce((sum, worker) => sum + worker.running, 0);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#end();
    await this.ended;
  }

  /** Whether it says that it has started. */
  #take(message: FromProcess): boolean {
    this.#missed = 0;
    if (this.#phase === 'boots') this.#phase = 'loads';
    const { name, logger, memoryMaxMb } = this.#options;
    switch (message.kind) {
      case 'log':
        logger[message.level](message.message, { integration: name, ...message.fields });
        return false;
      case 'failed':
        this.#reason = message.message;
        this.#code = message.code;
        return false;
      case 'loading':
        this.#options.onLoading?.(message.source);
        return false;
      case 'started':
        this.#phase = 'runs';
        this.workers = message.workers;
        return true;
      case 'beat':
        this.workers = message.workers;
        if (memoryMaxMb === undefined || message.rssBytes <= memoryMaxMb * 1024 * 1024)
          return false;
        if (this.#reason === undefined && !this.#stopping) {
          const mb = Math.round(message.rssBytes / 1024 / 1024);
          this.#reason = `it holds ${mb} MB of memory, over the limit of ${memoryMaxMb} (memoryMaxMb)`;
          this.#end();
        }
        return false;
    }
  }

  #look(): void {
    this.#missed += 1;
    const limitMs = this.#silenceMsMax();
    if (this.#missed * beatMs <= limitMs) return;
    this.#reason ??= `it said nothing for ${limitMs / 1000} s: its code keeps the event loop (an endless loop?), and it was killed`;
    this.#child.kill('SIGKILL');
  }

  #silenceMsMax(): number {
    const { heartbeatTimeoutMs } = this.#options;
    switch (this.#phase) {
      case 'boots':
        return bootMs;
      case 'loads':
        return heartbeatTimeoutMs * loadingFactor;
      case 'runs':
        return heartbeatTimeoutMs;
    }
  }

  /** It drains, and is killed when that takes too long. */
  #end(): void {
    const { graceMs } = this.#options.setup;
    this.#send({ kind: 'stop' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs + stopMs);
    this.#child.once('exit', () => clearTimeout(timer));
  }

  /** One that is gone hears nothing; its end is told by `exit`. */
  #send(message: ToProcess): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #endedBy(code: number | null, signal: NodeJS.Signals | null): EverstepError {
    // As it is thrown where there is no isolation.
    if (this.#code !== undefined && this.#reason !== undefined) {
      return new EverstepError(this.#code, this.#reason);
    }
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    const why = this.#reason === undefined ? '' : `: ${this.#reason}`;
    return new EverstepError(
      'WORKER_PROCESS_ENDED',
      `The process of "${this.#options.name}" ended ${how}${why}. What it ran goes on from its last finished step, in the process that is started next.`,
    );
  }
}
