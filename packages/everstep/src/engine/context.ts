/** What the verbs share: the parts of a running engine. */
import type { Limits } from '../core/limits.ts';
import type { Clock, Random } from '../service/clock.ts';
import type { Logger } from '../service/logger.ts';
import type { CallContext, RpcName } from '../service/workflow-service.ts';
import type { Store } from '../store/store.ts';
import type { EngineLimits } from './engine-limits.ts';
import type { Executor } from './executor.ts';
import type { HandOver } from './hand-over.ts';
import type { HistoryReader } from './history-reader.ts';
import type { Matching } from './matching.ts';
import type { Namespaces } from './namespaces.ts';
import type { Processes } from './processes.ts';
import type { QueryBoard } from './query-board.ts';
import type { RemoteQueries } from './remote-queries.ts';
import type { Starts } from './starts.ts';
import type { TaskRates } from './task-rates.ts';
import type { LiveRun } from './unit.ts';
import type { Waiters } from './waiters.ts';
import type { WorkerRegistry } from './worker-registry.ts';

/** Calls that are part of a transaction of the application: joined-calls.ts. */
export interface CallsInTransaction {
  /** There may be runs that no process of ours has committed, and nobody is left who would ring for them. */
  readonly any: boolean;
  call<Request, Reply>(
    context: EngineContext,
    name: RpcName,
    verb: (context: EngineContext, request: Request, call: CallContext) => Promise<Reply>,
    request: Request,
    call: CallContext,
  ): Promise<Reply>;
}

export interface EngineContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly coreLimits: Limits;
  readonly limits: EngineLimits;
  readonly processId: string;
  readonly executor: Executor;
  readonly starts: Starts;
  readonly history: HistoryReader;
  readonly joinedCalls: CallsInTransaction;
  readonly namespaces: Namespaces;
  readonly matching: Matching;
  readonly handOver: HandOver;
  readonly queries: QueryBoard;
  readonly remoteQueries: RemoteQueries;
  readonly waiters: Waiters;
  readonly processes: Processes;
  readonly workerRegistry: WorkerRegistry;
  readonly taskRates: TaskRates;
  /** Delivers what waits of a run that is about to be deleted. */
  readonly emptyOutbox: (run: LiveRun) => Promise<void>;
  /** Whether the store has failed for good; the engine then ends what it does. */
  readonly noteFailure: () => boolean;
}
