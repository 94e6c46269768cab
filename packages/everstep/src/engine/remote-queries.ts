/**
 * Queries whose worker is in another process on the same store: the question travels as mail, and so does the
 * answer. In memory on both sides; a lost letter ends with the caller's deadline.
 */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { Random } from '../service/clock.ts';
import type { QueryResponse, WorkflowQuery } from './query-board.ts';
import { queryFailed } from './query-board.ts';
import type { Mail } from './mail.ts';
import type { RunKey } from '../store/store.ts';

const { WorkflowQuery: WorkflowQueryType } = proto.temporal.api.query.v1;
const { RespondQueryTaskCompletedRequest } = proto.temporal.api.workflowservice.v1;
export type QueryAnswer = temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest;

const completed = 1;

export function queryResponseOf(answer: QueryAnswer): QueryResponse {
  if (answer.completedType === completed) return { queryResult: answer.queryResult ?? null };
  throw queryFailed(answer.errorMessage, answer.failure);
}

export class RemoteQueries {
  readonly #waiting = new Map<string, (answer: QueryAnswer) => void>();
  readonly #random: Random;
  readonly #processId: string;

  constructor(random: Random, processId: string) {
    this.#random = random;
    this.#processId = processId;
  }

  /** A letter to send, and the answer to wait for. */
  ask(
    key: RunKey,
    query: WorkflowQuery,
  ): { readonly mail: Mail; readonly answer: Promise<QueryAnswer>; forget(): void } {
    const queryId = this.#random.uuid();
    const answer = new Promise<QueryAnswer>((resolve) => {
      this.#waiting.set(queryId, resolve);
    });
    return {
      mail: {
        kind: 'query',
        queryId,
        replyTo: this.#processId,
        ...key,
        query: Buffer.from(WorkflowQueryType.encode(query).finish()).toString('base64'),
      },
      answer,
      forget: () => {
        this.#waiting.delete(queryId);
      },
    };
  }

  /** A query handed to a poll of this process; its answer comes by respondQueryTaskCompleted. */
  expect(): { readonly queryId: string; readonly answer: Promise<QueryAnswer>; forget(): void } {
    const queryId = this.#random.uuid();
    const answer = new Promise<QueryAnswer>((resolve) => {
      this.#waiting.set(queryId, resolve);
    });
    return {
      queryId,
      answer,
      forget: () => {
        this.#waiting.delete(queryId);
      },
    };
  }

  /** False: nobody waits for it any more. */
  answered(queryId: string, answer: QueryAnswer): boolean {
    const resolve = this.#waiting.get(queryId);
    if (!resolve) return false;
    this.#waiting.delete(queryId);
    resolve(answer);
    return true;
  }

  answeredByMail(mail: Extract<Mail, { kind: 'queryAnswer' }>): void {
    this.answered(
      mail.queryId,
      RespondQueryTaskCompletedRequest.decode(Buffer.from(mail.answer, 'base64')),
    );
  }

  static decodeQuery(mail: Extract<Mail, { kind: 'query' }>): WorkflowQuery {
    return WorkflowQueryType.decode(Buffer.from(mail.query, 'base64'));
  }

  static encodeAnswer(queryId: string, answer: QueryAnswer): Mail {
    return {
      kind: 'queryAnswer',
      queryId,
      answer: Buffer.from(RespondQueryTaskCompletedRequest.encode(answer).finish()).toString(
        'base64',
      ),
    };
  }
}
