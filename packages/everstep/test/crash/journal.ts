/** Files of lines that survive the death of whoever writes them: one JSON a line, on the disk before the next. */
import { fsyncSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export class LineFile<T> {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  write(entry: T): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
    fsyncSync(this.#file);
  }
}

/** One that also remembers what it was given. */
export class Journal<T> extends LineFile<T> {
  readonly entries: T[] = [];

  override write(entry: T): void {
    this.entries.push(entry);
    super.write(entry);
  }
}

/** What the parent meant to do and what it was told, in this order. Times are epoch milliseconds. */
export type ParentEntry =
  | {
      readonly at: number;
      readonly intent: 'submit' | 'signal' | 'result';
      readonly taskId: string;
    }
  | { readonly at: number; readonly ack: 'submit' | 'signal'; readonly taskId: string }
  | {
      readonly at: number;
      readonly ack: 'result';
      readonly taskId: string;
      readonly value: unknown;
    }
  /** `getStatus` has shown this step completed. */
  | { readonly at: number; readonly seen: string; readonly taskId: string }
  | { readonly at: number; readonly killed: string; readonly where: string };

/** What a step did. `inputs` is what the code knew when it asked for the step. */
export interface LedgerEntry {
  readonly what: 'start' | 'fail' | 'finish';
  readonly at: number;
  readonly pid: number;
  readonly taskId: string;
  readonly key: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly inputs?: unknown;
  /** Made anew each time the step runs to its end. */
  readonly token?: string;
}

const ledgerName = /^ledger-.*\.jsonl$/;

export function ledgerPath(folder: string, process: string): string {
  return join(folder, `ledger-${process}.jsonl`);
}

/** All ledgers of a round; the last line of a killed process may be torn. */
export function readLedgers(folder: string): LedgerEntry[] {
  return readdirSync(folder)
    .filter((name) => ledgerName.test(name))
    .flatMap((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      return whole
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LedgerEntry);
    });
}
