/** What a manager and the process of an integration say to each other. */
import type {
  ConcurrencyOptions,
  ResolvedOptions,
  ServerOptions,
} from '../component/component-options.ts';
import type { ErrorCode } from '../service/error-codes.ts';
import type { LogFields, Logger } from '../service/logger.ts';
import type { WorkerStatus } from './held-worker.ts';
import type { RestartOptions } from './restart-backoff.ts';
import type { RunnableSource } from './runnable.ts';

/** Everything a process needs to run its part. */
export interface ProcessSetup {
  readonly home: ResolvedOptions['home'];
  readonly namespace: string;
  readonly taskQueue: string;
  readonly buildId: string | undefined;
  readonly dataConverter: ResolvedOptions['dataConverter'];
  readonly concurrency: ConcurrencyOptions;
  /** Where official workers connect; undefined until one is there. */
  readonly officialAddress: ServerOptions | undefined;
  readonly graceMs: number;
  readonly restart: RestartOptions;
  /** What it loads. Of `shared` the tasks that name no queue, else all else. */
  readonly sources: readonly RunnableSource[];
  readonly part: 'own' | 'shared';
}

export type ToProcess =
  { readonly kind: 'start'; readonly setup: ProcessSetup } | { readonly kind: 'stop' };

export type FromProcess =
  /** When it begins to load and once a second: it lives, and how its workers do. */
  | {
      readonly kind: 'beat';
      readonly workers: readonly WorkerStatus[];
      readonly rssBytes: number;
    }
  /** Of a process for several: the integration that it loads now; undefined when all are loaded. */
  | { readonly kind: 'loading'; readonly source: string | undefined }
  | { readonly kind: 'started'; readonly workers: readonly WorkerStatus[] }
  /** Why nothing of it was started; an error of ours with its code, which says whether starting again may mend it. */
  | { readonly kind: 'failed'; readonly message: string; readonly code?: ErrorCode }
  | {
      readonly kind: 'log';
      readonly level: keyof Logger;
      readonly message: string;
      readonly fields?: LogFields;
    };

export const beatMs = 1_000;
