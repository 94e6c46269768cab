/**
 * Workers as their heartbeats tell of them, in memory: a worker says it again within a minute, so a restart forgets
 * nothing for long. Processes of one store tell each other (told-workers.ts).
 */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { msOfTimestamp } from '../core/time.ts';
import type { Clock } from '../service/clock.ts';
import type { Filter } from '../store/store.ts';
import type { QueryField } from './query-field.ts';

export type WorkerHeartbeat = temporal.api.worker.v1.IWorkerHeartbeat;

const { WorkerStatus } = proto.temporal.api.enums.v1;

interface KnownWorker {
  readonly heartbeat: WorkerHeartbeat;
  readonly heardAt: number;
}

export interface WorkerRegistryOptions {
  readonly clock: Clock;
  readonly limits: { readonly workerKeptMs: number; readonly workersMax: number };
}

export class WorkerRegistry {
  readonly #options: WorkerRegistryOptions;
  /** By namespace id, then by instance key; the one that was silent longest comes first. */
  readonly #workers = new Map<string, Map<string, KnownWorker>>();

  constructor(options: WorkerRegistryOptions) {
    this.#options = options;
  }

  record(namespaceId: string, heartbeat: WorkerHeartbeat): void {
    const { clock, limits } = this.#options;
    const workers = this.#workers.get(namespaceId) ?? new Map<string, KnownWorker>();
    this.#workers.set(namespaceId, workers);
    const key = heartbeat.workerInstanceKey ?? '';
    workers.delete(key);
    workers.set(key, { heartbeat, heardAt: clock.now() });
    for (const [silent, { heardAt }] of workers) {
      if (workers.size <= limits.workersMax && !this.#isGone(heardAt)) break;
      workers.delete(silent);
    }
  }

  get(namespaceId: string, workerInstanceKey: string): WorkerHeartbeat | undefined {
    const known = this.#workers.get(namespaceId)?.get(workerInstanceKey);
    return known && !this.#isGone(known.heardAt) ? known.heartbeat : undefined;
  }

  /** By instance key. */
  list(namespaceId: string, filter: Filter | undefined): WorkerHeartbeat[] {
    const workers = [...(this.#workers.get(namespaceId)?.entries() ?? [])];
    return workers
      .filter(([, { heardAt }]) => !this.#isGone(heardAt))
      .filter(([, { heartbeat }]) => !filter || matches(filter, heartbeat) === true)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { heartbeat }]) => heartbeat);
  }

  #isGone(heardAt: number): boolean {
    return heardAt + this.#options.limits.workerKeptMs <= this.#options.clock.now();
  }
}

type Value = string | number | undefined;

const attributes: ReadonlyMap<string, (worker: WorkerHeartbeat) => Value> = new Map([
  ['WorkerInstanceKey', (worker: WorkerHeartbeat): Value => worker.workerInstanceKey ?? ''],
  ['WorkerIdentity', (worker: WorkerHeartbeat): Value => worker.workerIdentity ?? ''],
  ['HostName', (worker: WorkerHeartbeat): Value => worker.hostInfo?.hostName ?? ''],
  ['TaskQueue', (worker: WorkerHeartbeat): Value => worker.taskQueue ?? ''],
  [
    'DeploymentName',
    (worker: WorkerHeartbeat): Value => worker.deploymentVersion?.deploymentName ?? '',
  ],
  ['BuildId', (worker: WorkerHeartbeat): Value => worker.deploymentVersion?.buildId ?? ''],
  ['SdkName', (worker: WorkerHeartbeat): Value => worker.sdkName ?? ''],
  ['SdkVersion', (worker: WorkerHeartbeat): Value => worker.sdkVersion ?? ''],
  [
    'StartTime',
    (worker: WorkerHeartbeat): Value =>
      worker.startTime ? msOfTimestamp(worker.startTime) : undefined,
  ],
  ['Status', (worker: WorkerHeartbeat): Value => statusName(worker.status ?? 0)],
]);

/** What a query for workers may ask of. */
export function workerField(name: string): QueryField | undefined {
  if (!attributes.has(name)) return undefined;
  return { name, type: name === 'StartTime' ? 'Datetime' : 'Keyword', at: { custom: name } };
}

/** 'Running', 'ShuttingDown', 'Shutdown'. */
function statusName(status: number): string {
  const name: string | undefined = WorkerStatus[status];
  return (name ?? '')
    .slice('WORKER_STATUS_'.length)
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

/** As a store evaluates it: undefined when the worker lacks what is asked for. */
function matches(filter: Filter, worker: WorkerHeartbeat): boolean | undefined {
  switch (filter.op) {
    case 'and':
    case 'or': {
      const answers = filter.terms.map((term) => matches(term, worker));
      const decisive = filter.op === 'or';
      if (answers.includes(decisive)) return decisive;
      return answers.includes(undefined) ? undefined : !decisive;
    }
    case 'not': {
      const answer = matches(filter.term, worker);
      return answer === undefined ? undefined : !answer;
    }
    case 'in': {
      const { field, values } = filter;
      return matches(
        { op: 'or', terms: values.map((value) => ({ op: '=', field, value })) },
        worker,
      );
    }
    default: {
      const { field } = filter;
      const found = 'custom' in field ? attributes.get(field.custom)?.(worker) : undefined;
      if (filter.op === 'isNull') return found === undefined || found === '';
      return found === undefined ? undefined : compare(filter.op, found, filter.value);
    }
  }
}

function compare(
  op: '=' | '!=' | '<' | '>' | '<=' | '>=' | 'startsWith',
  found: string | number,
  value: string | number | boolean,
): boolean | undefined {
  if (typeof found !== typeof value) return undefined;
  switch (op) {
    case '=':
      return found === value;
    case '!=':
      return found !== value;
    case '<':
      return found < value;
    case '>':
      return found > value;
    case '<=':
      return found <= value;
    case '>=':
      return found >= value;
    case 'startsWith':
      return String(found).startsWith(String(value));
  }
}
