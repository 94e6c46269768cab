/**
 * An office with faults, two pullers, and a worker that is taken away half-way: what the pullers held is left where it
 * was, and the next process finds it again. Says what became of the rows.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsyncTaskComponent } from 'everstep';
import { Office, type Faults, type Table } from './office.ts';
import { invoicePuller, parcelPuller, rowTask } from './pullers.ts';
import { quiet } from './quiet.ts';

export interface Outcome {
  /** Of each row, what it was reported with. */
  readonly reports: Readonly<Record<Table, string[][]>>;
  /** Steps that ran, by name; how often. */
  readonly ran: ReadonlyMap<string, number>;
  readonly counts: Office['counts'];
}

const faults: Faults = { refuseEvery: 7, hangEvery: 23, dropEvery: 13 };
export async function run(rows: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-pull-'));
  const store = `sqlite:${join(folder, 'tasks.db')}`;
  const office = new Office(rows, faults);
  const url = await office.start();
  const ran = new Map<string, number>();
  const count = (what: string): void => void ran.set(what, (ran.get(what) ?? 0) + 1);
  try {
    await worked(store, url, count, () => office.waiting('invoices') <= rows / 2);
    await worked(
      store,
      url,
      count,
      () => office.waiting('invoices') === 0 && office.waiting('parcels') === 0,
    );
    const reports = { invoices: office.reports('invoices'), parcels: office.reports('parcels') };
    return { reports, ran, counts: office.counts };
  } finally {
    await office.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What one process does, until it is enough. Its reports are given no time to end. */
async function worked(
  store: string,
  url: string,
  count: (what: string) => void,
  enough: () => boolean,
): Promise<void> {
  const component = new AsyncTaskComponent({ store, concurrency: 20, logger: quiet });
  const invoices = rowTask('invoices', count);
  const parcels = rowTask('parcels', count);
  component.registerAll([invoices, parcels]);
  await component.start();
  const pullers = [invoicePuller(url, invoices), parcelPuller(url, parcels)];
  try {
    for (const puller of pullers) await puller.start();
    while (!enough()) await new Promise((resolve) => setTimeout(resolve, 10));
  } finally {
    for (const puller of pullers) await puller.stop({ gracePeriod: 0 });
    await component.stop();
  }
}
