/**
 * SQLite itself, with nothing of Everstep's on it but the driver: the yardstick for the other rows. A unit is what a
 * transition would write without packing: three history events of 200 bytes, a run's row, a task in, a task out.
 */
import { fileURLToPath } from 'node:url';
import { expectEqual } from '../expectation.ts';
import { lapOf } from '../stopwatch.ts';
import { unitFigures } from './unit-figures.ts';
import { warmUpOf, type Work } from './work.ts';

interface Statement {
  run(...values: unknown[]): { readonly lastInsertRowid: number | bigint };
  get(): Record<string, unknown> | undefined;
}

interface Handle {
  prepare(sql: string): Statement;
  exec(sql: string): void;
  close(): void;
}

interface DriverModule {
  readonly loadDriver: (path: string) => Promise<{ open(path: string): Handle }>;
}

const runs = 1_000;
const eventsOfUnit = 3;
const unitsOfCommit = 100;

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 6000;
  CREATE TABLE events (run INTEGER, id INTEGER, bytes BLOB, PRIMARY KEY (run, id)) WITHOUT ROWID;
  CREATE TABLE runs (run INTEGER PRIMARY KEY, version INTEGER NOT NULL, state BLOB NOT NULL);
  CREATE TABLE tasks (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, queue TEXT NOT NULL);
  CREATE INDEX tasks_by_queue ON tasks (queue, id);`;

export const driverAlone: Work = async ({ stage, storeUrl, n }) => {
  const url = new URL('store/sqlite/driver.js', import.meta.resolve('everstep'));
  const { loadDriver } = (await import(url.href)) as DriverModule;
  const path = fileURLToPath(storeUrl.replace(/^sqlite:/, 'file://').replace(/\?.*$/, ''));
  const db = (await loadDriver(path)).open(path);
  const unit = preparedUnit(db);
  let written = 0;
  const write = (units: number, aCommit: number, latencies?: number[]): void => {
    for (let first = 0; first < units; first += aCommit) {
      const before = performance.now();
      db.exec('BEGIN IMMEDIATE');
      for (let index = 0; index < aCommit; index += 1) unit(written++ % runs);
      db.exec('COMMIT');
      latencies?.push(performance.now() - before);
    }
  };
  const lap = (units: number, aCommit: number, latencies?: number[]) =>
    lapOf(stage, () => {
      write(units, aCommit, latencies);
      return Promise.resolve();
    });

  const many = Math.ceil(n / unitsOfCommit) * unitsOfCommit;
  write(warmUpOf(many), unitsOfCommit);
  const shared = await lap(many, unitsOfCommit);
  const few = Math.ceil(n / 10);
  const latencies: number[] = [];
  const single = await lap(few, 1, latencies);
  const { events } = db.prepare('SELECT count(*) AS events FROM events').get() ?? {};
  expectEqual(Number(events), written * eventsOfUnit, 'the number of events');
  db.close();
  return [
    unitFigures(`${unitsOfCommit} units a commit`, many, shared),
    unitFigures('one unit a commit', few, single, latencies),
  ];
};

/** Writes one unit of a run, inside a transaction. */
function preparedUnit(db: Handle): (run: number) => void {
  db.exec(schema);
  const insertEvent = db.prepare('INSERT INTO events VALUES (?, ?, ?)');
  const updateRun = db.prepare(
    'UPDATE runs SET version = version + 1, state = ? WHERE run = ? AND version = ?',
  );
  const insertTask = db.prepare('INSERT INTO tasks (run, queue) VALUES (?, ?)');
  const deleteTask = db.prepare('DELETE FROM tasks WHERE id = ?');
  const insertRun = db.prepare('INSERT INTO runs VALUES (?, 0, ?)');
  const bytes = new Uint8Array(200).fill(7);
  const versions = Array.from({ length: runs }, () => 0);
  const tasks: (number | bigint)[] = [];
  db.exec('BEGIN');
  for (let run = 0; run < runs; run += 1) {
    insertRun.run(run, bytes);
    tasks.push(insertTask.run(run, 'queue').lastInsertRowid);
  }
  db.exec('COMMIT');
  return (run) => {
    const version = versions[run] ?? 0;
    for (let event = 0; event < eventsOfUnit; event += 1) {
      insertEvent.run(run, version * eventsOfUnit + event, bytes);
    }
    updateRun.run(bytes, run, version);
    versions[run] = version + 1;
    deleteTask.run(tasks[run]);
    tasks[run] = insertTask.run(run, 'queue').lastInsertRowid;
  };
}
