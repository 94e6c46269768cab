/** Two pullers, for the two ways in which systems give out rows: a list of what waits, and claims with a lease. */
import { AsyncTask, step, TaskPuller, type TaskStatus } from 'everstep';
import { quiet } from './quiet.ts';
import { call, rows } from './office-client.ts';
import type { Row, Table } from './office.ts';

export type RowTask = AsyncTask<{ id: number; text: string }, string>;
export type RowPuller = TaskPuller<Row, { id: number; text: string }, string>;

/** Two steps a row; `ran` is told of each. */
export function rowTask(table: Table, ran: (what: string) => void): RowTask {
  return new AsyncTask({
    name: table,
    task: async function* ({ id, text }: { id: number; text: string }) {
      const made = yield* step('make', () => {
        ran(`${table} ${id} make`);
        return text.toUpperCase();
      });
      yield* step('send', async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        ran(`${table} ${id} send`);
      });
      return made;
    },
  });
}

const retry = { initialDelay: 50, maxDelay: 500 } as const;

/** The office shows what waits; a row goes from the list when it is reported. */
export function invoicePuller(office: string, task: RowTask): RowPuller {
  return new TaskPuller({
    name: 'invoices',
    task,
    fetch: (limit, signal) => rows(`${office}/invoices?limit=${limit}`, 'GET', signal),
    taskId: ({ id }) => `invoice-${id}`,
    params: ({ id, text }) => ({ id, text }),
    report: (row, status, signal) => reported(office, 'invoices', row, status, signal),
    polling: { minInterval: 20, maxInterval: '2s', batchSize: 10 },
    backpressure: { maxBacklog: 20, checkInterval: 100 },
    callTimeout: '1s',
    logger: quiet,
    retry,
  });
}

/** The office leases what it gives; what is not reported in time is given again. */
export function parcelPuller(office: string, task: RowTask): RowPuller {
  return new TaskPuller({
    name: 'parcels',
    task,
    source: 'claim',
    fetch: (limit, signal) => rows(`${office}/parcels/claims?limit=${limit}`, 'POST', signal),
    taskId: ({ id }) => `parcel-${id}`,
    params: ({ id, text }) => ({ id, text }),
    report: (row, status, signal) => reported(office, 'parcels', row, status, signal),
    polling: { minInterval: 20, maxInterval: '2s', batchSize: 10 },
    callTimeout: '1s',
    logger: quiet,
    retry,
  });
}

async function reported(
  office: string,
  table: Table,
  { id }: Row,
  { status, result, error }: TaskStatus<string>,
  signal: AbortSignal,
): Promise<void> {
  await call(`${office}/${table}/${id}`, 'PUT', signal, { status, result, error });
}
