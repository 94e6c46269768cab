/** What the parent says to a process on its standard input, and hears on its standard output: one JSON a line. */
import type { PlantedBug } from './planted.ts';
import type { Trap } from './failpoints.ts';
import type { WorkParams } from './workloads.ts';

export type Role = 'both' | 'worker' | 'submitter';

export type Command =
  | {
      readonly do: 'start';
      /** The path of a SQLite file, or the URL of a database. */
      readonly store: string;
      readonly role: Role;
      readonly ledger: string;
      readonly trap?: Trap;
      /** Finished runs are deleted so long after their end; the engine's own time when it is missing. */
      readonly retentionMs?: number;
      readonly planted?: PlantedBug;
    }
  | { readonly do: 'arm'; readonly trap?: Trap }
  | {
      readonly do: 'submit';
      readonly workload: string;
      readonly params: WorkParams;
    }
  | { readonly do: 'status' | 'result'; readonly workload: string; readonly taskId: string }
  | {
      readonly do: 'signal';
      readonly taskId: string;
      readonly value: string;
      readonly requestId: string;
    }
  | { readonly do: 'delete'; readonly taskId: string }
  /** Answers with what is left in memory after a collection. */
  | { readonly do: 'memory' }
  | { readonly do: 'stop' };

export interface Memory {
  readonly rssBytes: number;
  readonly heapBytes: number;
}

export type Asked = Command & { readonly id: number };

export type Said =
  | { readonly id: number; readonly ok: true; readonly value?: unknown }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string }
  | { readonly log: 'warn' | 'error'; readonly message: string; readonly fields: string };
