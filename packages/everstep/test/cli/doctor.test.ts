/** `everstep doctor`: what it sees, and that it changes nothing. */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import type { Check } from '../../src/cli/doctor-check.ts';
import { clockCheck, driverCheck, formCheck, serverCheck } from '../../src/cli/doctor-database.ts';
import { mysqlServerCheck } from '../../src/cli/doctor-mysql.ts';
import type { DatabaseReport as MysqlReport } from '../../src/store/mysql/database-report.ts';
import { diskChecks } from '../../src/cli/doctor-store.ts';
import { AsyncTask, AsyncTaskComponent } from '../../src/index.ts';
import type { DatabaseReport } from '../../src/store/postgres/database-report.ts';
import { passingFileSystem } from '../../src/store/sqlite/disk-report.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { serverAddress, silent } from '../tasks/running-component.ts';
import { everstep, type Surroundings } from './command-line.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'everstep-doctor-'));
  path = join(folder, 'tasks.db');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

async function doctor(args: readonly string[], around?: Surroundings) {
  const { code, out, err } = await everstep(['doctor', ...args, '--json'], around);
  expect(err).toBe('');
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: Check[] };
  const named = (name: string): Check | undefined => checks.find((check) => check.name === name);
  return { code, ok, checks, named };
}

async function application(
  where: { readonly store: string } | { readonly temporalAddress: string },
): Promise<AsyncTask<undefined, string>> {
  const task = new AsyncTask<undefined, string>({ name: 'greet', task: async () => 'hello' });
  const component = new AsyncTaskComponent({ ...where, logger: silent });
  component.register(task);
  await component.start();
  onTestFinished(() => component.stop({ gracePeriod: 0 }));
  return task;
}

it.each(['a file', 'a server'])('finds nothing wrong with an application on %s', async (place) => {
  const address = place === 'a server' ? await serverAddress() : '';
  const task = await application(
    address === '' ? { store: `sqlite:${path}` } : { temporalAddress: address },
  );
  await task.result(await task.submit());
  const at = address === '' ? ['--store', `sqlite:${path}`] : ['--address', address];
  const env = { TEMPORAL_API_KEY: 'secret', TEMPORAL_TLS: 'false' };
  const { code, ok, checks, named } = await doctor(at, { env });
  expect({ code, ok }).toEqual({ code: 0, ok: true });
  expect(checks.filter(({ state }) => state === 'fail')).toEqual([]);
  expect(named('node')?.message).toContain(`Node ${process.versions.node}`);
  expect(named('reachable')?.message).toContain(place === 'a file' ? path : address);
  expect(named('tasks')?.message).toBe('no open tasks');
  expect(named('configuration')?.message).toContain(
    'variables set: TEMPORAL_API_KEY, TEMPORAL_TLS',
  );
  expect(JSON.stringify(checks)).not.toContain('secret');
  const sqlite = named('sqlite')?.message ?? 'none';
  expect(sqlite).toMatch(place === 'a file' ? /^SQLite 3\.\d.*journal mode wal$/ : /^none$/);
  const shown = await everstep(['doctor', ...at]);
  expect(shown.out).toMatch(/^ok {4}tasks: no open tasks$/m);
});

it('names task types that wait without a worker, on a queue that nobody polls and on one that is polled', async () => {
  const store = `sqlite:${path}`;
  const task = await application({ store });
  await task.result(await task.submit());
  const submit = ['tasks', 'submit', '--store', store];
  await everstep([...submit, 'greet', '--task-queue', 'elsewhere', '--task-id', 'one']);
  await everstep([...submit, 'renamed', '--task-id', 'two']);
  const early = await doctor(['--store', store]);
  expect(early.checks.filter(({ name }) => name === 'waiting')).toHaveLength(1);
  const { code, checks, named } = await doctor(['--store', store], { laterMs: 120_000 });
  const waiting = checks.filter(({ name }) => name === 'waiting').map(({ message }) => message);
  expect(waiting.toSorted()).toEqual([
    expect.stringMatching(
      /^1 of task "greet" on the queue "elsewhere" are open, .*\(one\), and no worker polls that queue$/,
    ),
    expect.stringMatching(
      /^1 of task "renamed" on the queue "async-tasks" are open, .*\(two\); workers poll that queue, and none has taken it up for 2 min$/,
    ),
  ]);
  expect(named('tasks')?.message).toMatch(
    new RegExp(`^2 open tasks, workers: process ${process.pid} on `),
  );
  expect(code).toBe(0);
});

it('says that there is no store, and makes none', async () => {
  const { code, named } = await doctor(['--store', `sqlite:${join(folder, 'new', 'tasks.db')}`]);
  expect(code).toBe(0);
  expect(named('store')).toMatchObject({ state: 'warn' });
  expect(named('store')?.message).toContain('there is no store at');
  expect(named('reachable')).toBeUndefined();
  expect(existsSync(join(folder, 'new'))).toBe(false);
});

it('fails for a file of another program, and for a newer form', async () => {
  writeFileSync(path, 'no database at all, and longer than a hundred bytes'.repeat(3));
  const other = await doctor(['--store', `sqlite:${path}`]);
  expect(other).toMatchObject({ code: 1, ok: false });
  expect(other.named('store')?.message).toContain('it is not an SQLite database');

  rmSync(path);
  const task = new AsyncTask<undefined, string>({ name: 'greet', task: async () => 'hello' });
  const component = new AsyncTaskComponent({ store: `sqlite:${path}`, logger: silent });
  component.register(task);
  await component.start();
  await component.stop();
  // A connection of the component's may live on until it is collected.
  const copy = join(folder, 'copy.db');
  copyFileSync(path, copy);
  const driver = await loadDriver(copy);
  const handle = driver.open(copy);
  handle.exec('PRAGMA journal_mode = DELETE');
  const changed = await doctor(['--store', `sqlite:${copy}`]);
  expect(changed.named('sqlite')).toMatchObject({ state: 'warn' });
  handle.exec('PRAGMA user_version = 99');
  handle.close();
  const newer = await doctor(['--store', `sqlite:${copy}`]);
  expect(newer).toMatchObject({ code: 1, ok: false });
  expect(newer.named('store')?.message).toContain('has form 99');
});

it('fails for options that cannot be, and for a namespace that is not there', async () => {
  const odd = await doctor(['--address', 'nowhere']);
  expect(odd.code).toBe(1);
  expect(odd.named('configuration')).toMatchObject({ state: 'fail' });
  const address = await serverAddress();
  const typo = await doctor(['--address', address, '--namespace', 'typo']);
  expect(typo.code).toBe(1);
  expect(typo.named('reachable')?.message).toContain('The namespace "typo" is not known');
});

it('warns of disks that do not last or are full, and fails for a network and a folder it may not write', () => {
  expect(passingFileSystem(0x01021994, 'linux')).toContain('tmpfs');
  expect(passingFileSystem(0x794c7630, 'linux')).toContain('container');
  expect(passingFileSystem(0xef53, 'linux')).toBeUndefined();
  expect(passingFileSystem(0x01021994, 'darwin')).toBeUndefined();
  const good = {
    folder: '/data',
    freeBytes: 1e12,
    writable: true,
    network: undefined,
    passing: undefined,
  };
  const states = (report: Partial<typeof good> | object): string[] =>
    diskChecks({ ...good, ...report }).map(({ name, state }) => `${name} ${state}`);
  expect(states({})).toEqual(['disk ok', 'space ok']);
  expect(states({ passing: 'tmpfs: memory' })).toEqual(['disk warn', 'space ok']);
  expect(states({ network: 'NFS' })).toEqual(['disk fail', 'space ok']);
  expect(states({ writable: false })).toEqual(['disk ok', 'folder fail', 'space ok']);
  expect(states({ freeBytes: 5e8 })).toEqual(['disk ok', 'space warn']);
  expect(states({ freeBytes: 1e6 })).toEqual(['disk ok', 'space fail']);
});

it('says which MySQL or MariaDB will not do', () => {
  const report: MysqlReport = {
    version: '8.0.40',
    isMariaDb: false,
    isolation: 'REPEATABLE-READ',
    isReadOnly: false,
    primaries: undefined,
    packetBytesMax: 1e6,
    isStrict: true,
    logsStatements: false,
    isDurable: true,
    clockAheadMs: 0,
    user: 'app@%',
    form: 1,
    newestForm: 1,
    missingRights: [],
  };
  const failing: readonly (readonly [Partial<MysqlReport>, RegExp])[] = [
    [{ version: '5.7.44' }, /MySQL 5\.7\.44, and Everstep needs/],
    [{ version: '10.5.2', isMariaDb: true }, /MariaDB 10\.5\.2, and Everstep needs/],
    [{ isReadOnly: true }, /read-only/],
    [{ primaries: 'Galera' }, /Galera/],
    [{ logsStatements: true }, /logs statements/],
    [{ isStrict: false }, /cut/],
  ];
  for (const [change, words] of failing) {
    const check = mysqlServerCheck({ ...report, ...change });
    expect(check).toMatchObject({ name: 'mysql', state: 'fail' });
    expect(check.message).toMatch(words);
  }
  for (const version of ['10.6.0', '10.11.6', '11.4.2']) {
    expect(mysqlServerCheck({ ...report, version, isMariaDb: true }).state).toBe('ok');
  }
  expect(mysqlServerCheck(report)).toMatchObject({ state: 'ok' });
  expect(mysqlServerCheck(report).message).toContain('isolation REPEATABLE-READ');
  expect(mysqlServerCheck({ ...report, isDurable: false }).state).toBe('warn');
});

it('says which PostgreSQL will not do, and that the package pg is missing', () => {
  const report: DatabaseReport = {
    version: '15.4',
    major: 15,
    oldestMajor: 14,
    encoding: 'UTF8',
    isReplica: false,
    isReadOnly: false,
    isolation: 'read committed',
    clockAheadMs: 0,
    user: 'app',
    form: 1,
    newestForm: 2,
    missingRights: [],
  };
  expect(serverCheck(report).state).toBe('ok');
  expect(serverCheck({ ...report, version: '13.9', major: 13 })).toMatchObject({
    state: 'fail',
    fix: 'update the server; Everstep needs PostgreSQL 14 or newer',
  });
  expect(serverCheck({ ...report, encoding: 'LATIN1' }).state).toBe('fail');
  expect(serverCheck({ ...report, isReplica: true }).message).toContain('a replica');
  const strict = serverCheck({ ...report, isolation: 'serializable' });
  expect(strict).toMatchObject({ state: 'fail' });
  expect(strict.message).toContain('transactions are serializable');
  expect(clockCheck({ ...report, clockAheadMs: -900 }).state).toBe('ok');
  const late = clockCheck({ ...report, clockAheadMs: 90_000 });
  expect(late.state).toBe('warn');
  expect(late.message).toContain("this machine's clock is 1 min behind the server's");
  const store = {
    description: 'PostgreSQL database app',
    place: 'schema everstep',
    option: 'schema',
  };
  expect(formCheck(store, report)).toMatchObject({
    state: 'warn',
    message: 'PostgreSQL database app, schema everstep has form 1, and this version writes form 2',
  });
  expect(driverCheck('pg', 'PostgreSQL', undefined)).toMatchObject({
    state: 'fail',
    fix: 'npm install pg',
  });
});
