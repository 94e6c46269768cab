/** `everstep tasks`, beside an application that runs on the same file, and on a server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  ApplicationFailure,
  AsyncTask,
  AsyncTaskComponent,
  signal,
  step,
} from '../../src/index.ts';
import type { AsyncTaskComponentOptions, TaskStatus, TaskSummary } from '../../src/index.ts';
import { rejection, serverAddress, silent } from '../tasks/running-component.ts';
import { everstep, everstepJson } from './command-line.ts';

let folder: string;
let store: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'everstep-cli-'));
  store = `sqlite:${join(folder, 'tasks.db')}`;
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

/** An application with one task for each way to end. */
async function application(
  where: { readonly store: string } | { readonly temporalAddress: string } = { store },
) {
  const state = { works: false };
  const greet = new AsyncTask<{ name: string } | undefined, string>({
    name: 'greet',
    task: (params) => Promise.resolve(`Hello, ${params?.name ?? 'nobody'}!`),
  });
  const fragile = new AsyncTask<undefined, string>({
    name: 'fragile',
    task: async function* () {
      yield* step('before', () => 1);
      return yield* step('odd', () => {
        if (!state.works) throw ApplicationFailure.nonRetryable('the provider is down');
        return 'done';
      });
    },
  });
  const patient = new AsyncTask<undefined, string>({
    name: 'patient',
    task: async function* () {
      yield* step('ask', () => 'asked');
      return yield* signal<string>('answer');
    },
  });
  const component = new AsyncTaskComponent({ ...where, logger: silent });
  component.registerAll([greet, fragile, patient]);
  await component.start();
  onTestFinished(() => component.stop({ gracePeriod: 0 }));
  return { state, greet, fragile, patient, component };
}

describe.each(['a file', 'a server'])('on %s', (place) => {
  async function begin() {
    const address = place === 'a server' ? await serverAddress() : '';
    const at = address === '' ? ['--store', store] : ['--address', address];
    const app = await application(address === '' ? { store } : { temporalAddress: address });
    return { ...app, at };
  }

  it('submits by name, waits for the result, and shows the status', async () => {
    const { at } = await begin();
    const submit = ['tasks', 'submit', 'greet', '--params', '{"name":"Ada"}', ...at];
    const { taskId } = await everstepJson<{ taskId: string }>(submit);
    const result = await everstep(['tasks', 'result', taskId, '--timeout', '10s', ...at]);
    expect(result).toEqual({ code: 0, out: '"Hello, Ada!"\n', err: '' });
    expect(await everstepJson(['tasks', 'result', taskId, ...at])).toEqual({
      taskId,
      result: 'Hello, Ada!',
    });
    const status = await everstepJson<TaskStatus>(['tasks', 'status', taskId, ...at]);
    expect(status).toMatchObject({ taskId, status: 'completed', result: 'Hello, Ada!' });
    const shown = await everstep(['tasks', 'status', taskId, ...at]);
    expect(shown.out).toMatch(/^status +completed\n/m);
    expect(shown.out).toMatch(/^result +"Hello, Ada!"\n/m);
  });

  it('watches until the end, cancels, and says by the exit code how it ended', async () => {
    const { at } = await begin();
    await everstepJson(['tasks', 'submit', 'patient', '--task-id', 'p', ...at]);
    const watched = everstep(['tasks', 'watch', 'p', '--json', ...at]);
    const cancelled = await everstep(['tasks', 'cancel', 'p', '--reason', 'enough', ...at]);
    expect(cancelled).toMatchObject({ code: 0, out: 'p asked to stop\n' });
    const { code, out } = await watched;
    const states = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as TaskStatus);
    expect(code).toBe(1);
    expect(states.at(-1)).toMatchObject({ status: 'cancelled', error: 'enough' });
    const late = await everstep(['tasks', 'cancel', 'p', ...at]);
    expect(late).toMatchObject({ code: 1, out: '' });
    expect(late.err).toContain('Task p has ended already: it is cancelled.');
  });

  it('retries what a query finds, after it has counted and asked', async () => {
    const { at, fragile, state } = await begin();
    const ids = ['a', 'b', 'c'];
    for (const taskId of ids) await fragile.submit(undefined, { taskId });
    for (const taskId of ids) await rejection(fragile.result(taskId));
    const query = ['tasks', 'retry', '--status', 'failed', '--since', '1h', ...at];
    await expect
      .poll(() => everstepJson([...query, '--dry-run']), { timeout: 10_000 })
      .toMatchObject({ matched: 3 });

    const refused = await everstep(query);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('add --yes');
    const declined = await everstep(query, { tty: true, answer: 'n' });
    expect(declined.err).toBe('Retry 3 tasks? [y/N] nothing was retried\n');
    expect(declined.code).toBe(1);
    expect((await fragile.getStatus('a')).status).toBe('failed');

    state.works = true;
    const retried = await everstepJson<{ retried: string[] }>([...query, '--yes']);
    expect(retried).toMatchObject({ matched: 3, skipped: [], failed: [] });
    expect(retried.retried.toSorted()).toEqual(ids);
    for (const taskId of ids) expect(await fragile.result(taskId)).toBe('done');

    const again = await everstep(['tasks', 'retry', 'a', ...at]);
    expect(again.code).toBe(1);
    expect(again.err).toContain('a was not retried: Task a cannot be retried: it has completed');
  });

  it('lists by name and state, and says when there are more', async () => {
    const { at, greet } = await begin();
    for (const taskId of ['a', 'b', 'c']) {
      await greet.submit({ name: taskId }, { taskId });
      await greet.result(taskId);
    }
    type List = { readonly tasks: readonly TaskSummary[]; readonly more: boolean };
    const list = ['tasks', 'list', '--name', 'greet', '--status', 'completed', ...at];
    await expect
      .poll(async () => (await everstepJson<List>(list)).tasks.length, { timeout: 10_000 })
      .toBe(3);
    const two = await everstepJson<List>([...list, '--limit', '2']);
    expect(two.more).toBe(true);
    expect(two.tasks.map(({ taskId }) => taskId)).toEqual(['c', 'b']);
    const shown = await everstep(list);
    expect(shown.out.split('\n')[0]).toMatch(/^STATUS +CREATED +ENDED +NAME +TASK$/);
    expect(shown.out.split('\n')[1]).toMatch(/^completed .* greet +c$/);
    expect(shown.err).toBe('3 tasks\n');
    const none = await everstepJson<List>(['tasks', 'list', '--name', 'nothing', ...at]);
    expect(none).toEqual({ tasks: [], more: false });
  });
});

it('reads and writes payloads as the application does, by its data converter', async () => {
  const path = join(folder, 'converter.mjs');
  writeFileSync(
    path,
    `const turned = (data) => Uint8Array.from(data, (byte) => byte ^ 255);
    const all = (payloads) => Promise.resolve(payloads.map((one) => ({ ...one, data: turned(one.data) })));
    export const dataConverter = { payloadCodecs: [{ encode: all, decode: all }] };`,
  );
  const { dataConverter } = (await import(path)) as Required<
    Pick<AsyncTaskComponentOptions, 'dataConverter'>
  >;
  const greet = new AsyncTask<{ name: string }, string>({
    name: 'greet',
    task: ({ name }) => Promise.resolve(`Hello, ${name}!`),
  });
  const component = new AsyncTaskComponent({ store, dataConverter, logger: silent });
  component.register(greet);
  await component.start();
  onTestFinished(() => component.stop({ gracePeriod: 0 }));
  const at = ['--store', store, '--data-converter', path];
  const submit = ['tasks', 'submit', 'greet', '--params', '{"name":"Ada"}', '--task-id', 'one'];
  await everstep([...submit, ...at]);
  expect(await greet.result('one')).toBe('Hello, Ada!');
  const read = await everstep(['tasks', 'result', 'one', ...at]);
  expect(read).toMatchObject({ code: 0, out: '"Hello, Ada!"\n' });
  const blind = await everstep(['tasks', 'result', 'one', '--store', store]);
  expect(blind.out).not.toContain('Ada');
  const odd = await everstep(['tasks', 'list', '--data-converter', join(folder, 'none.mjs')]);
  expect(odd.err).toContain('none.mjs cannot be loaded');
});

it('takes parameters from a file and from standard input', async () => {
  const { greet } = await application();
  const file = join(folder, 'params.json');
  writeFileSync(file, '{ "name": "file" }');
  const submit = ['tasks', 'submit', 'greet', '--store', store, '--params-file'];
  const one = await everstep([...submit, file]);
  expect(await greet.result(one.out.trim())).toBe('Hello, file!');
  const two = await everstep([...submit, '-'], { stdin: '{"name":"pipe"}' });
  expect(await greet.result(two.out.trim())).toBe('Hello, pipe!');
});

it('submits once under an id, and refuses the id of another task', async () => {
  await application();
  const submit = ['tasks', 'submit', 'greet', '--store', store, '--task-id', 'one', '--params'];
  expect((await everstep([...submit, '{"name":"a"}'])).out).toBe('one\n');
  expect((await everstep([...submit, '{"name":"a"}'])).out).toBe('one\n');
  const other = await everstep([...submit, '{"name":"b"}', '--json']);
  expect(other.code).toBe(1);
  expect(JSON.parse(other.err)).toMatchObject({
    error: { code: 'TASK_ID_CONFLICT', taskId: 'one' },
  });
});

it('puts a task into the queue that is named, without a worker for it', async () => {
  const { component } = await application();
  const at = ['--store', store, '--task-queue', 'elsewhere', '--task-id', 'one'];
  await everstep(['tasks', 'submit', 'greet', ...at]);
  const { taskQueue } = await component.getClient().workflow.getHandle('one').describe();
  expect(taskQueue).toBe('elsewhere');
  const asked = ['tasks', 'status', 'one', '--store', store];
  expect(await everstepJson(asked)).toMatchObject({
    name: 'greet',
    taskQueue: 'elsewhere',
    workers: 0,
  });
  const shown = await everstep(asked);
  expect(shown.out).toMatch(/^name +greet$/m);
  expect(shown.out).toMatch(/^waits +no worker polls the queue "elsewhere"$/m);
  const waiting = await everstep(['tasks', 'result', 'one', '--timeout', '1ms', '--store', store]);
  expect(waiting).toMatchObject({ code: 1, out: '' });
  expect(waiting.err).toContain('its status is pending');
});

it('waits as a process as long as it is told to', async () => {
  await everstep(['tasks', 'submit', 'greet', '--task-id', 'one', '--store', store, '--create']);
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const run = ['--import', import.meta.resolve('tsx'), main, 'tasks', 'result', 'one'];
  const waiting = spawn(process.execPath, [...run, '--timeout', '50ms', '--store', store]);
  onTestFinished(() => void waiting.kill('SIGKILL'));
  let said = '';
  waiting.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const [code] = (await once(waiting, 'close')) as [number | null];
  expect(said).toContain('has no result after 50 ms');
  expect(code).toBe(1);
}, 60_000);

it('stops to wait when it is told to, and leaves the task running', async () => {
  const { patient } = await application();
  await patient.submit(undefined, { taskId: 'p' });
  const stop = new AbortController();
  const onOut = () => stop.abort();
  const args = ['tasks', 'watch', 'p', '--store', store];
  const watched = await everstep(args, { stop: stop.signal, onOut });
  expect(watched.code).toBe(130);
  expect(watched.err).toBe('');
  expect(['pending', 'processing']).toContain((await patient.getStatus('p')).status);
});

describe('what is wrong', () => {
  const status = ['tasks', 'status', 'nobody'];

  it('is a store that is not there, and it is not made', async () => {
    const path = join(folder, 'new', 'tasks.db');
    for (const args of [status, ['tasks', 'list'], ['tasks', 'submit', 'greet']]) {
      const { code, out, err } = await everstep([...args, '--store', `sqlite:${path}`]);
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toBe(
        `everstep: There is no store at ${path}. Run the command in the folder of the application, or name its file with --store sqlite:<path>; a component makes the file when it starts.\n`,
      );
    }
    expect(existsSync(join(folder, 'new'))).toBe(false);
    const submit = ['tasks', 'submit', 'greet', '--create', '--store', `sqlite:${path}`];
    expect((await everstep(submit)).code).toBe(0);
    expect(existsSync(path)).toBe(true);
  });

  it('is a namespace that the store does not have', async () => {
    await application();
    const { code, err } = await everstep([...status, '--store', store, '-n', 'typo']);
    expect(code).toBe(1);
    expect(err).toContain('has no namespace "typo"; it has default.');
    const { err: json } = await everstep(['tasks', 'list', '--store', store, '--json'], {
      env: { TEMPORAL_NAMESPACE: 'typo' },
    });
    expect(JSON.parse(json)).toMatchObject({ error: { code: 'NAMESPACE_NOT_FOUND' } });
  });

  it('is an unknown task', async () => {
    await application();
    for (const command of ['status', 'result', 'watch', 'cancel', 'retry']) {
      const { code, out, err } = await everstep(['tasks', command, 'nobody', '--store', store]);
      expect(code).toBe(1);
      expect(out + err).toContain('There is no task nobody');
      expect(err.trim().split('\n')).toHaveLength(1);
    }
  });

  it('is a file of another program, or of a newer version', async () => {
    const path = join(folder, 'tasks.db');
    writeFileSync(path, 'no database at all, and longer than a hundred bytes'.repeat(3));
    const { code, err } = await everstep([...status, '--store', store]);
    expect(code).toBe(1);
    expect(err).toContain('it is not an SQLite database');
  });

  it('is a namespace that the server does not have', async () => {
    const at = ['--address', await serverAddress(), '-n', 'typo', '--json'];
    const { code, err } = await everstep([...status, ...at]);
    expect(code).toBe(1);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'SERVER_REFUSED' } });
  });

  it.each([
    [['tasks', 'statsu', 'a'], "unknown command 'statsu' (Did you mean status?)"],
    [['tasks', 'status'], "missing required argument 'taskId'"],
    [['tasks', 'status', 'a', '--jsno'], "unknown option '--jsno' (Did you mean --json?)"],
    [['tasks', 'list', '--status', 'done'], 'Allowed choices are running, completed, failed'],
    [['tasks', 'list', '--since', 'soon'], "--since is 'soon'; expected a time such as"],
    [['tasks', 'list', '--limit', '0'], 'Expected a whole number from 1'],
    [['tasks', 'status', 'a', '--store', 'memory'], 'which no other process can see'],
    [['tasks', 'status', 'a', '--store', 'data/a.db'], "Write 'memory', 'sqlite:<path>'"],
    [
      ['tasks', 'status', 'a', '--store', 'sqlite:a', '--address', 'a:1'],
      "option '--store <url>' cannot be used with option '--address <host:port>'",
    ],
    [['tasks', 'status', 'a', '--address', 'nowhere'], 'expected host:port'],
    [['tasks', 'status', 'a', '--address', 'a:1', '--tls-cert', 'x'], 'are needed together'],
    [['tasks', 'retry'], 'expected task ids, or a query such as --status failed'],
    [['tasks', 'retry', 'a', '--status', 'failed'], 'expected one of them'],
    [['tasks', 'submit', 'a', '--params', '{"a":}'], 'line 1, column 6: expected a value'],
    [['tasks', 'submit', 'a', '--params', ''], '--params is empty'],
    [['tasks', 'submit', 'a', '--params', '1', '--params-file', '-'], 'expected one of them'],
  ])('%j is wrong usage', async (args, said) => {
    const { code, out, err } = await everstep(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(said);
    expect(err).toMatch(/^everstep: [^\n]+\n$/);
  });
});
