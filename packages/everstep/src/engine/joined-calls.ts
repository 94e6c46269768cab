/**
 * Calls that are part of a transaction of the application. Such a call has runs in memory, an executor and a commit of
 * its own, over the store as that transaction sees it: so it is decided from what is true there, it is written there,
 * and with its end all of that is forgotten. This process learns of what was written as another process would, once
 * it is visible: the store rings then.
 *
 * Nothing is handed over to a worker, and no other run is changed: whoever runs a step, or waits for a run, must not
 * see what may still be rolled back.
 */
import proto from '@temporalio/proto';
import { ServiceError } from '../service/service-error.ts';
import type { CallContext, RpcName, WorkflowService } from '../service/workflow-service.ts';
import type { CallsInTransaction, EngineContext } from './context.ts';
import { Executor, type ExecutorOptions } from './executor.ts';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { HistoryReader } from './history-reader.ts';
import { LiveRuns } from './live-runs.ts';
import { Starts } from './starts.ts';

type StartRequest = Parameters<WorkflowService['startWorkflowExecution']>[0];

const { WorkflowIdReusePolicy, WorkflowIdConflictPolicy } = proto.temporal.api.enums.v1;
const { WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING } = WorkflowIdReusePolicy;
const { WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING } = WorkflowIdConflictPolicy;

const joinable: ReadonlySet<RpcName> = new Set<RpcName>([
  'startWorkflowExecution',
  'getWorkflowExecutionHistory',
]);

export type JoinedCallsOptions = Pick<GroupCommitOptions, 'retentionMs'> &
  Pick<ExecutorOptions, 'registeredAttributes' | 'transition'>;

interface Joined {
  readonly context: Promise<EngineContext>;
  /** Under way. Those of one transaction share their commits. */
  calls: number;
}

export class JoinedCalls implements CallsInTransaction {
  readonly #options: JoinedCallsOptions;
  readonly #joined = new Map<unknown, Joined>();
  #any = false;

  constructor(options: JoinedCallsOptions) {
    this.#options = options;
  }

  get any(): boolean {
    return this.#any;
  }

  async call<Request, Reply>(
    context: EngineContext,
    name: RpcName,
    verb: (context: EngineContext, request: Request, call: CallContext) => Promise<Reply>,
    request: Request,
    call: CallContext,
  ): Promise<Reply> {
    if (!joinable.has(name)) {
      throw new ServiceError({
        code: 'UNIMPLEMENTED',
        message: `${name} cannot be part of a transaction of the application; only a start can.`,
      });
    }
    const asked = name === 'startWorkflowExecution' ? joinableStart(request as never) : request;
    const { transaction } = call;
    const joined = this.#joined.get(transaction) ?? {
      context: this.#join(context, transaction),
      calls: 0,
    };
    this.#joined.set(transaction, joined);
    joined.calls += 1;
    try {
      return await verb(await joined.context, asked as Request, call);
    } finally {
      joined.calls -= 1;
      if (joined.calls === 0) this.#joined.delete(transaction);
    }
  }

  async #join(context: EngineContext, transaction: unknown): Promise<EngineContext> {
    const { clock, random, logger, coreLimits, limits } = context;
    const store = await context.store.joinTransaction?.({ transaction });
    if (store === undefined) {
      throw new ServiceError({
        code: 'UNIMPLEMENTED',
        message: `The ${context.store.kind} store has no transactions that an application could share with it. Use a SQLite file, PostgreSQL or MySQL, or leave out tx.`,
      });
    }
    this.#any = true;
    const groupCommit = new GroupCommit({
      ...this.#options,
      store,
      clock,
      logger,
      // Tokens of commits begin with it, and each transaction counts its own.
      processId: random.uuid(),
      onWritten: ignore,
      onFailed: ignore,
      onUncertain: ignore,
    });
    const executor = new Executor({
      ...this.#options,
      store,
      clock,
      random,
      limits: coreLimits,
      live: new LiveRuns(limits.liveRunsMax),
      groupCommit,
    });
    const history = new HistoryReader(store);
    return { ...context, executor, starts: new Starts(executor), history };
  }
}

/** Its first task must not leave before the commit, so there is no eager one. */
function joinableStart(request: StartRequest): StartRequest {
  const { workflowIdReusePolicy, workflowIdConflictPolicy } = request;
  if (
    workflowIdReusePolicy === WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING ||
    workflowIdConflictPolicy === WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
  ) {
    throw new ServiceError({
      code: 'INVALID_ARGUMENT',
      message:
        'A start in a transaction cannot terminate the run that has the workflow id: choose another workflowIdConflictPolicy or workflowIdReusePolicy, or start it after the commit.',
    });
  }
  return { ...request, requestEagerExecution: false };
}

function ignore(): void {
  // Whoever needs to know is told by the store, after the commit.
}
