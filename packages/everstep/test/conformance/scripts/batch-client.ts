/** The part of a script's clients that starts batch operations on one target, and waits for their end. */
import proto from '@temporalio/proto';
import type { RpcName } from '../../../src/service/workflow-service.ts';
import { payloadsOf } from '../../core-driver.ts';
import type { BatchOperation } from './action.ts';
import type { Outcome } from './target.ts';
import { text } from './view.ts';

type Call = (rpc: RpcName, request: object) => Promise<Outcome>;

interface BatchRun {
  readonly workflowId: string;
  readonly runId: string;
}

interface BatchPlan {
  readonly jobId: string;
  readonly operation: BatchOperation;
  readonly byQuery: boolean;
  /** The runs that are meant; a query is to find as many, or the batch is left alone. */
  readonly runs: readonly BatchRun[];
}

const { ResetReapplyExcludeType: exclusion } = proto.temporal.api.enums.v1;
const namespace = 'default';
/** Another identity than that of the server's own worker, which it gives away: see comparable.ts. */
const identity = 'batch client';
const waitMs = 10_000;
const lookAgainMs = 50;

const operations: Readonly<Record<BatchOperation, object>> = {
  terminate: { terminationOperation: { identity } },
  cancel: { cancellationOperation: { identity } },
  signal: {
    signalOperation: { identity, signal: 'signal-batch', input: payloadsOf('from a batch') },
  },
  delete: { deletionOperation: { identity } },
  reset: {
    resetOperation: {
      identity,
      options: {
        firstWorkflowTask: {},
        resetReapplyExcludeTypes: [exclusion.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
      },
    },
  },
};

/** `look` asks without being said to have asked. */
export async function runBatch(
  { jobId, operation, byQuery, runs }: BatchPlan,
  call: Call,
  look: Call,
): Promise<Outcome | undefined> {
  const ids = runs.map(({ workflowId }) => `'${workflowId}'`).join(', ');
  const query = `WorkflowId IN (${ids}) AND ExecutionStatus = 'Running'`;
  if (byQuery && !(await isFound(query, runs.length, look))) return undefined;
  const started = await call('startBatchOperation', {
    namespace,
    jobId,
    reason: 'many at once',
    ...(byQuery ? { visibilityQuery: query } : { executions: runs }),
    ...operations[operation],
  });
  if (!started.ok) return undefined;
  return await ended(jobId, look);
}

/** Lists come later than what they list. */
async function isFound(query: string, expected: number, look: Call): Promise<boolean> {
  for (const until = Date.now() + waitMs; Date.now() < until; await pause()) {
    const found = await look('countWorkflowExecutions', { namespace, query });
    if (found.ok && Number(text(found.reply['count'])) === expected) return true;
  }
  return false;
}

async function ended(jobId: string, look: Call): Promise<Outcome> {
  for (const until = Date.now() + waitMs; ; await pause()) {
    const found = await look('describeBatchOperation', { namespace, jobId });
    const running = found.ok && text(found.reply['state']).endsWith('_RUNNING');
    if (!running || Date.now() > until) return ofServersVersion(found);
  }
}

/** Without fields of a later version of the contract than the server's. */
function ofServersVersion(described: Outcome): Outcome {
  if (!described.ok) return described;
  const fields = Object.entries(described.reply);
  const known = fields.filter(([name]) => name !== 'query' && name !== 'executions');
  return { ok: true, reply: Object.fromEntries(known) };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, lookAgainMs));
}
