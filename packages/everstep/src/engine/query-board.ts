/**
 * Queries that wait for a workflow task of their run (QY-4): they travel with it and are answered with its
 * completion. They live in memory only: a query belongs to the call that waits for it.
 */
import type { temporal } from '@temporalio/proto';
import type { Random } from '../service/clock.ts';
import { ServiceError } from '../service/service-error.ts';

export type WorkflowQuery = temporal.api.query.v1.IWorkflowQuery;
export type QueryResponse = temporal.api.workflowservice.v1.IQueryWorkflowResponse;
export type QueryResults = Readonly<Record<string, temporal.api.query.v1.IWorkflowQueryResult>>;

interface WaitingQuery {
  readonly query: WorkflowQuery;
  /** Ends with the call that waits. */
  readonly signal: AbortSignal;
  attached: boolean;
  readonly resolve: (response: QueryResponse) => void;
  readonly reject: (error: unknown) => void;
}

/** QUERY_RESULT_TYPE_ANSWERED of temporal.api.enums.v1.QueryResultType. */
const answered = 1;

export class QueryBoard {
  readonly #runs = new Map<string, Map<string, WaitingQuery>>();
  readonly #waitingMax: number;
  readonly #random: Random;

  constructor(waitingMax: number, random: Random) {
    this.#waitingMax = waitingMax;
    this.#random = random;
  }

  wait(
    runId: string,
    query: WorkflowQuery,
    signal: AbortSignal,
  ): { readonly answer: Promise<QueryResponse>; forget(): void } {
    let waiting = this.#runs.get(runId);
    if (!waiting) {
      waiting = new Map();
      this.#runs.set(runId, waiting);
    }
    if (waiting.size >= this.#waitingMax) {
      throw new ServiceError({
        code: 'RESOURCE_EXHAUSTED',
        message: 'query buffer is full, cannot buffer more queries',
        detail: { kind: 'resourceExhausted', cause: 'concurrentLimit' },
      });
    }
    // Of no other process: a worker may give its answers to another than sent it the questions.
    const id = this.#random.uuid();
    const board = waiting;
    const answer = new Promise<QueryResponse>((resolve, reject) => {
      board.set(id, { query, signal, attached: false, resolve, reject });
    });
    return {
      answer,
      forget: () => {
        board.delete(id);
        if (board.size === 0 && this.#runs.get(runId) === board) this.#runs.delete(runId);
      },
    };
  }

  has(runId: string): boolean {
    return this.#runs.has(runId);
  }

  /** The queries to send with the run's workflow task. */
  attach(runId: string): Record<string, WorkflowQuery> {
    const waiting = this.#runs.get(runId);
    const queries: Record<string, WorkflowQuery> = {};
    if (!waiting) return queries;
    for (const [id, entry] of waiting) {
      entry.attached = true;
      queries[id] = entry.query;
    }
    return queries;
  }

  answerAttached(runId: string, results: QueryResults): void {
    const waiting = this.#runs.get(runId);
    if (!waiting) return;
    for (const [id, result] of Object.entries(results)) {
      const entry = waiting.get(id);
      if (!entry) continue;
      // Off the board at once: whoever looks next must not ask it again.
      waiting.delete(id);
      if (result.resultType === answered) entry.resolve({ queryResult: result.answer ?? null });
      else entry.reject(queryFailed(result.errorMessage, result.failure));
    }
    this.detach(runId);
  }

  /** The task that carried them did not complete: they wait for the next. */
  detach(runId: string): void {
    for (const entry of this.#runs.get(runId)?.values() ?? []) entry.attached = false;
  }

  /** Takes every waiting query off the board, for direct dispatch once no workflow task is pending. */
  takeAll(runId: string): readonly Pick<WaitingQuery, 'query' | 'signal' | 'resolve' | 'reject'>[] {
    const waiting = this.#runs.get(runId);
    if (!waiting) return [];
    const taken = [...waiting.values()].filter((entry) => !entry.attached);
    for (const [id, entry] of waiting) if (!entry.attached) waiting.delete(id);
    if (waiting.size === 0) this.#runs.delete(runId);
    return taken;
  }
}

export function queryFailed(
  message: string | null | undefined,
  failure: temporal.api.failure.v1.IFailure | null | undefined,
): ServiceError {
  return new ServiceError({
    code: 'INVALID_ARGUMENT',
    message: message || failure?.message || 'query failed',
    detail: { kind: 'queryFailed', ...(failure ? { failure } : {}) },
  });
}
