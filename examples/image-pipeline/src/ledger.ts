/**
 * Ledgers: what provider and worker really did, one JSON line each, written before and after the work
 * itself. A line is one write to a file opened for appending, so it outlives a SIGKILL of its writer.
 * The demo reads them at the end and believes nothing else.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** One step's attempt, as the worker process saw it. `worker` is its process id, `at` epoch ms. */
export interface WorkerEntry {
  readonly event: 'started' | 'finished' | 'failed';
  readonly taskId: string;
  readonly key: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly worker: number;
  readonly at: number;
}

/** One request for a job, as the provider saw it. */
export interface ProviderEntry {
  /** Accepted; known already by its idempotency key; 429; 500. */
  readonly event: 'accepted' | 'repeated' | 'refused' | 'broken';
  readonly idempotencyKey: string;
  readonly jobId?: string;
  readonly at: number;
}

export function appendEntry(file: string, entry: WorkerEntry | ProviderEntry): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

export function readLedger<Entry extends WorkerEntry | ProviderEntry>(file: string): Entry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Entry);
}
