/** The processes of a deployment, started and stopped as a process manager does it. */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { StepRun } from './picture-task.ts';

export interface Member {
  /** Resolves when it has drained and is gone. */
  stop(): Promise<void>;
}

interface WebMember extends Member {
  readonly url: string;
}

export interface Crew {
  /** Where all of them find the tasks: see home.ts. */
  readonly home: string;
  /** Resolves when it takes work. */
  worker(name: string): Promise<Member>;
  /** A process that submits and reads for its callers over HTTP; `all` runs the steps as well. */
  web(role?: 'all'): Promise<WebMember>;
  /** What has run so far. */
  runs(): readonly StepRun[];
}

/** Each member a process of its own. */
export function processCrew(home: string, ledger: string): Crew {
  const started = async (file: string, name: string, role = '') => {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), [home, name, ledger, role], {
      execArgv: ['--import', 'tsx'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const ready = await new Promise<unknown>((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new TypeError(`${name} ended with ${code}.`)));
    });
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM');
      const code = await ended;
      if (code !== 0) throw new TypeError(`${name} ended with ${code}.`);
    };
    return { ready, stop };
  };
  return {
    home,
    worker: (name) => started('./worker.ts', name),
    web: async (role) => {
      const { ready, stop } = await started('./web.ts', 'web', role);
      return { url: String(ready), stop };
    },
    runs: () =>
      readFileSync(ledger, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as StepRun),
  };
}
