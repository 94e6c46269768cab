/** What is in a store when everybody has gone: each task's runs and histories, and what must not be left. */
import { decodeBatch } from '../../src/core/history-batch.ts';
import type { HistoryEvent } from '../../src/core/proto.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { readMigrations } from '../../src/store/sqlite/migrations.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { RunStatusColumn, Store } from '../../src/store/store.ts';

const newestForm = readMigrations().at(-1)?.version ?? 0;
/** Of the folders in `next-release`. */
export const nextForm = 9_999;

export interface StoredTask {
  readonly taskId: string;
  readonly status: RunStatusColumn;
  readonly events: readonly HistoryEvent[];
}

export interface StoredFile {
  /** Several of one id, should that be. */
  readonly tasks: readonly StoredTask[];
  readonly problems: readonly string[];
}

export async function readFile(path: string, stopped: boolean): Promise<StoredFile> {
  const problems = [...(await integrityProblems(path)), ...(await nextFormProblems(path))];
  const { tasks, problems: others } = await readStore(new SqliteStore({ path }), stopped);
  return { tasks, problems: [...problems, ...others] };
}

/** Opens and closes it. */
export async function readStore(store: Store, stopped: boolean): Promise<StoredFile> {
  const problems: string[] = [];
  await store.open();
  try {
    const tasks: StoredTask[] = [];
    for (const { namespaceId } of await store.namespaces.list()) {
      const runs = await store.visibility.list({ namespaceId, limit: 100_000 });
      for (const { ref, key, columns } of runs) {
        const batches = await store.history.read({ ref, fromEventId: 1, bytesMax: 1e9 });
        const events = batches.flatMap(({ bytes }) => decodeBatch(bytes));
        tasks.push({ taskId: key.workflowId, status: columns.status, events });
        if (columns.historyEvents !== events.length) {
          problems.push(
            `${key.workflowId}: ${events.length} events stored, ${columns.historyEvents} counted`,
          );
        }
      }
      problems.push(...(await countProblems(store, namespaceId)));
    }
    if (stopped) problems.push(...(await leftovers(store)));
    return { tasks, problems };
  } finally {
    await store.close();
  }
}

async function integrityProblems(path: string): Promise<string[]> {
  const handle = (await loadDriver(path)).open(path);
  try {
    const said = handle
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => String(row['integrity_check']));
    return said.length === 1 && said[0] === 'ok' ? [] : said.map((line) => `integrity: ${line}`);
  } finally {
    handle.close();
  }
}

/**
 * What the migration of the next release made, once and whole. The judge is of this release and would refuse the file,
 * which has all it knows and more: the number of the form is put back.
 */
async function nextFormProblems(path: string): Promise<string[]> {
  const handle = (await loadDriver(path)).open(path);
  const number = (sql: string): number => Number(Object.values(handle.prepare(sql).get() ?? {})[0]);
  try {
    const form = number('PRAGMA user_version');
    if (form === newestForm) return [];
    if (form !== nextForm) return [`the file has form ${form}`];
    const strays = number(
      `SELECT count(*) FROM next_form n LEFT JOIN runs r ON r.ref = n.ref
        WHERE r.ref IS NULL OR r.version < n.version`,
    );
    const unfilled = number(
      'SELECT count(*) FROM next_form n JOIN runs r ON r.ref = n.ref WHERE r.state_bytes = 0',
    );
    handle.exec(`PRAGMA user_version = ${newestForm}; PRAGMA wal_checkpoint(TRUNCATE)`);
    return [
      ...(strays === 0 ? [] : [`lost: ${strays} runs are older than when the file was migrated`]),
      ...(unfilled === 0 ? [] : [`${unfilled} runs have no size after the migration`]),
    ];
  } finally {
    handle.close();
  }
}

async function countProblems(store: Store, namespaceId: string): Promise<string[]> {
  const { groups } = await store.visibility.count({ namespaceId, groupByStatus: true });
  const listed = new Map<string, number>();
  for (const { columns } of await store.visibility.list({ namespaceId, limit: 100_000 })) {
    listed.set(columns.status, (listed.get(columns.status) ?? 0) + 1);
  }
  return groups
    .filter(({ status, count }) => (listed.get(status) ?? 0) !== count)
    .map(({ status, count }) => `${count} counted as ${status}, ${listed.get(status) ?? 0} listed`);
}

/** Every task has ended and every process has said goodbye: nothing waits for anybody. */
async function leftovers(store: Store): Promise<string[]> {
  const queues = await store.tasks.queues();
  const outbox = await store.outbox.overdue({ createdBefore: Date.now() + 60_000, limit: 10 });
  const processes = await store.processes.list();
  const wakeAt = await store.runs.nextWakeAt();
  return [
    ...queues.map(({ taskQueue, kind, count }) => `left: ${count} ${kind} rows in ${taskQueue}`),
    ...outbox.map(({ key }) => `left: a message of ${key.workflowId} in the outbox`),
    ...processes.map(({ processId, pid }) => `left: process ${processId} (pid ${pid})`),
    ...(wakeAt === 0 ? [] : [`left: a run to be woken at ${wakeAt}`]),
  ];
}
