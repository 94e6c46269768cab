/** Listing tasks: the visibility query that says what is asked, and its pages as an async iterable. */
import type { temporal } from '@temporalio/proto';
import { EverstepError } from '../service/error-codes.ts';
import { shown } from './duration.ts';
import { isFields, unknownField } from './known-fields.ts';
import {
  listedTasks,
  summaryOf,
  typePrefix,
  type ListedState,
  type TaskSummary,
  type WantedTasks,
} from './listed-tasks.ts';
import { grpcCode, grpcCodeOf, unreached, type TaskClient } from './task-client.ts';

export interface ListQuery {
  /**
   * `running` is pending, processing and paused: a list does not read histories, and only those tell these apart.
   * One state may be more than one on the server: `failed` holds timed out, `cancelled` holds terminated.
   */
  readonly status?: ListedState;
  /** A task's name; by default the task's own. `'*'`: all. */
  readonly name?: string;
  /** Only tasks whose `createdAt` is at or after / before that time: epoch ms or a Date. */
  readonly since?: number | Date;
  readonly until?: number | Date;
  /** Runs a request fetches, 1 to 1,000; 100 by default. The iterable goes over all pages. */
  readonly pageSize?: number;
}

export interface TaskPage {
  readonly tasks: readonly TaskSummary[];
  /** Give it to `page` to go on; absent on the last page. */
  readonly nextPageToken?: string;
}

/** `for await` gives every task; `page` one page, for an API of one's own. */
export interface TaskList extends AsyncIterable<TaskSummary> {
  page(token?: string): Promise<TaskPage>;
}

const queryFields: readonly string[] = ['status', 'name', 'since', 'until', 'pageSize'];

const statusNames: Readonly<Record<ListedState, readonly string[]>> = {
  running: ['Running', 'Paused'],
  completed: ['Completed'],
  failed: ['Failed', 'TimedOut'],
  cancelled: ['Canceled', 'Terminated'],
};

/** @throws EverstepError LIST_QUERY_INVALID, at once for a field, from the iterable for a query the service refuses. */
export function listTasks(
  connect: () => TaskClient,
  ownName: string,
  query: ListQuery | string,
): TaskList {
  const queries = typeof query === 'string' ? [query] : visibilityQueries(query, ownName);
  const wanted = typeof query === 'string' ? undefined : wantedOf(query);
  const pageSize = typeof query === 'string' ? 100 : checkedPageSize(query.pageSize);
  const fetched = async (token?: string): Promise<TaskPage> => {
    const at = decodedToken(token, queries.length);
    const client = connect();
    const reply = await listPage(client, queries[at.query] ?? '', pageSize, at.token).catch(
      (error: unknown) => {
        // The same terms were accepted with another status: an older service does not know this one.
        if (at.query > 0 && at.token.length === 0 && isRefused(error)) return noPage;
        throw error;
      },
    );
    const next =
      reply.nextPageToken.length > 0
        ? { query: at.query, token: reply.nextPageToken }
        : at.query + 1 < queries.length
          ? { query: at.query + 1, token: new Uint8Array() }
          : undefined;
    return {
      // A query of the user's own is about runs, and its answer stands.
      tasks:
        wanted === undefined
          ? reply.executions.map((run) => summaryOf(run))
          : await listedTasks(client, reply.executions, wanted),
      ...(next !== undefined && {
        nextPageToken: `${next.query}.${Buffer.from(next.token).toString('base64url')}`,
      }),
    };
  };
  // A page may hold nothing but former runs of tasks that were retried.
  const page = async (token?: string): Promise<TaskPage> => {
    let found = await fetched(token);
    while (found.tasks.length === 0 && found.nextPageToken !== undefined) {
      found = await fetched(found.nextPageToken);
    }
    return found;
  };
  return {
    page,
    async *[Symbol.asyncIterator]() {
      let token: string | undefined;
      do {
        const { tasks, nextPageToken } = await page(token);
        yield* tasks;
        token = nextPageToken;
      } while (token !== undefined);
    },
  };
}

/**
 * One query for each status the service knows: the part of the query language that every engine has is `=`, AND and
 * ranges of time. With `until` none has a status: a task that was retried later is found by its first run, whose
 * status is another one.
 */
export function visibilityQueries(query: ListQuery, ownName: string): string[] {
  if (!isFields(query)) {
    throw invalid(`the query is ${shown(query)}; expected an object or a string`);
  }
  const odd = unknownField(query, queryFields);
  if (odd !== undefined) throw invalid(odd);
  const terms: string[] = [];
  const { status, name = ownName, since, until } = query;
  if (typeof name !== 'string' || name === '') {
    throw invalid(`name is ${shown(name)}; expected a task's name, or '*' for all`);
  }
  if (name !== '*') terms.push(`WorkflowType = ${quoted(typePrefix + name)}`);
  if (since !== undefined) terms.push(`StartTime >= ${quoted(isoTime('since', since))}`);
  if (until !== undefined) terms.push(`StartTime < ${quoted(isoTime('until', until))}`);
  if (status === undefined) return [terms.join(' AND ')];
  if (typeof status !== 'string' || !Object.hasOwn(statusNames, status)) {
    throw invalid(
      `status is ${shown(status)}; expected one of ${Object.keys(statusNames).join(', ')}`,
    );
  }
  if (until !== undefined) return [terms.join(' AND ')];
  return statusNames[status].map((one) =>
    [...terms, `ExecutionStatus = ${quoted(one)}`].join(' AND '),
  );
}

function wantedOf({ status, since, until }: ListQuery): WantedTasks {
  return {
    status,
    since: since === undefined ? -Infinity : Number(since),
    until: until === undefined ? Infinity : Number(until),
  };
}

const noPage = { executions: [], nextPageToken: new Uint8Array() };

function isRefused(error: unknown): boolean {
  return error instanceof EverstepError && error.code === 'LIST_QUERY_INVALID';
}

function isoTime(field: string, value: unknown): string {
  const ms = typeof value === 'number' ? value : value instanceof Date ? value.getTime() : NaN;
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) {
    throw invalid(`${field} is ${shown(value)}; expected epoch milliseconds or a Date`);
  }
  return isoOf(ms);
}

function checkedPageSize(pageSize: unknown): number {
  if (pageSize === undefined) return 100;
  if (
    typeof pageSize === 'number' &&
    Number.isInteger(pageSize) &&
    pageSize >= 1 &&
    pageSize <= 1000
  ) {
    return pageSize;
  }
  throw invalid(`pageSize is ${shown(pageSize)}; expected a whole number from 1 to 1000`);
}

function decodedToken(token: unknown, queries: number): { query: number; token: Uint8Array } {
  if (token === undefined) return { query: 0, token: new Uint8Array() };
  const match = typeof token === 'string' ? /^(\d)\.([\w-]*)$/.exec(token) : null;
  const query = Number(match?.[1]);
  if (match === null || query >= queries) {
    throw invalid(
      `the page token is ${shown(token)}; expected the nextPageToken of the page before`,
    );
  }
  return { query, token: Buffer.from(match[2] ?? '', 'base64url') };
}

async function listPage(
  { client }: TaskClient,
  query: string,
  pageSize: number,
  nextPageToken: Uint8Array,
): Promise<temporal.api.workflowservice.v1.ListWorkflowExecutionsResponse> {
  try {
    return await client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query,
      pageSize,
      nextPageToken,
    });
  } catch (cause) {
    if (grpcCodeOf(cause) !== grpcCode.invalidArgument) {
      throw unreached(cause, 'list()', undefined) ?? cause;
    }
    const details = (cause as { readonly details?: unknown }).details;
    throw invalid(`the service refused the query ${shown(query)}: ${String(details)}`, cause);
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function invalid(problem: string, cause?: unknown): EverstepError {
  return new EverstepError('LIST_QUERY_INVALID', `list: ${problem}.`, { cause });
}
