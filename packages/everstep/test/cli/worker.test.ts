/** `everstep worker`, `dev` and `integrations list`: what runs the sources of a project without a line of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
// What commands load when they run is loaded here, before the time of a test begins.
import '../../src/cli/run-work.ts';
import { watchedFolders } from '../../src/cli/source-watch.ts';
import '../../src/index.ts';
import { writtenFolder } from '../written-folder.ts';
import { everstep, everstepJson } from './command-line.ts';

const greet = `import { AsyncTask } from 'everstep';
  export const greet = new AsyncTask({
    name: 'greet',
    task: async ({ name }: { name: string }) => 'Hello, ' + name + '!',
  });`;

const mail = `import { AsyncTask } from 'everstep';
  export default {
    createAsyncTasks: () => [new AsyncTask({ name: 'mail', task: async () => 'sent' })],
  };`;

const pizza = `import { AsyncTask } from 'everstep';
  export const TASK_QUEUE = 'pizza-task-queue';
  export const tasks = [new AsyncTask({ name: 'bake', taskQueue: TASK_QUEUE, task: async () => 'baked' })];`;

it('runs task modules, integrations and domains until it is told to stop', async () => {
  const root = writtenFolder({
    'tasks/greet.ts': greet,
    'tasks/greet.test.ts': 'throw new Error("a test is no source");',
    'tasks/words.ts': 'export const hello = "hello";',
    'tasks/mail/index.ts': mail,
    'tasks/broken/index.ts': 'throw new Error("broken at import");',
    'domains/pizza/index.ts': pizza,
  });
  const store = `sqlite:${join(root, 'tasks.db')}`;
  const stop = new AbortController();
  const lines: string[] = [];
  let running: (line: string) => void = () => undefined;
  const started = new Promise<string>((resolve) => (running = resolve));
  const args = ['worker', join(root, 'tasks'), '--store', store, '--json'];
  const worker = everstep(args, {
    stop: stop.signal,
    onOut: (text) => {
      lines.push(text);
      if (text.includes('"sources"')) running(text);
    },
    env: { ENABLE_DOMAINS: join(root, 'domains/pizza') },
  });
  const state = JSON.parse(
    await Promise.race([started, worker.then(({ err }) => Promise.reject(new TypeError(err)))]),
  ) as { tasks: string[]; failures: { name: string; reason: string }[] };
  expect(state).toMatchObject({ state: 'running', workflows: [], activities: [] });
  expect(state.tasks.toSorted()).toEqual(['bake', 'greet', 'mail']);
  expect(state).toMatchObject({ sources: ['task-modules', 'mail', 'pizza'] });
  expect(state.failures).toMatchObject([{ name: 'broken' }]);
  const told = (is: string): object[] =>
    lines
      .map((line) => JSON.parse(line) as { worker?: string; state: string })
      .filter(({ worker, state: now }) => worker !== undefined && now === is);
  expect(told('running')).toMatchObject([
    { worker: 'task-modules', kind: 'tasks', taskQueue: 'async-tasks', restarts: 0 },
    { worker: 'mail', kind: 'tasks', taskQueue: 'async-tasks', restarts: 0 },
    { worker: 'pizza', kind: 'tasks', taskQueue: 'pizza-task-queue', restarts: 0 },
  ]);

  const at = ['--store', store];
  const submitted = (name: string, ...more: string[]) =>
    everstepJson<{ taskId: string }>(['tasks', 'submit', name, ...more, ...at]);
  const result = async (taskId: string): Promise<unknown> =>
    JSON.parse((await everstep(['tasks', 'result', taskId, '--timeout', '10s', ...at])).out);
  const one = await submitted('greet', '--params', '{"name":"Ada"}');
  expect(await result(one.taskId)).toBe('Hello, Ada!');
  expect(await result((await submitted('mail')).taskId)).toBe('sent');
  const baked = await submitted('bake', '--task-queue', 'pizza-task-queue');
  expect(await result(baked.taskId)).toBe('baked');

  stop.abort();
  const { code, out, err } = await worker;
  expect(code).toBe(0);
  expect(out).toMatch(/\{"state":"stopped"\}\n$/);
  expect(told('stopped')).toHaveLength(3);
  expect(err).toMatch(/broken.index\.ts was left out: .*broken at import/);
}, 120_000);

it('ends where nothing is there to run, or with --strict where something cannot be', async () => {
  const root = writtenFolder({ 'words.ts': 'export const hello = 1;', 'tasks/greet.ts': greet });
  writeFileSync(join(root, 'tasks', 'odd.ts'), 'throw new Error("odd");');
  const at = ['--store', `sqlite:${join(root, 'tasks.db')}`];
  const nothing = await everstep(['worker', join(root, 'words.ts'), ...at]);
  expect(nothing.code).toBe(1);
  expect(nothing.err).toContain('it exports no task, workflow or activity');
  expect(nothing.err).toContain('There is nothing to run');
  const strict = await everstep(['worker', join(root, 'tasks'), '--strict', ...at]);
  expect(strict.code).toBe(1);
  expect(strict.err).toContain('odd.ts cannot be run');
  const missing = await everstep(['worker', join(root, 'nowhere'), ...at]);
  expect(missing.code).toBe(2);
  expect(missing.err).toContain('There is no file or folder');
  const unnamed = await everstep(['worker']);
  expect(unnamed.code).toBe(2);
  expect(unnamed.err).toContain('expected files or folders, such as src/tasks, or ENABLE_DOMAINS');
});

it('lists integrations, what is left out, and what is wrong', async () => {
  const root = writtenFolder({
    'mail/index.ts': mail,
    'video/workflows/index.ts': 'export async function cut(): Promise<void> {}',
    'broken/index.ts': 'throw new Error("broken at import");',
    'docs/readme.md': 'words',
    'domains/pizza/index.ts': pizza,
  });
  const domains = join(root, 'domains/pizza');
  const listed = ['integrations', 'list', root, '--exclude', 'domains', 'docs', '--json'];
  const { code, out, err } = await everstep([...listed, '--domains', domains]);
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(JSON.parse(out)).toMatchObject({
    integrations: [
      { name: 'mail', path: join(root, 'mail'), tasks: [{ name: 'mail', taskQueue: '' }] },
      { name: 'video', taskQueue: 'video-tasks', tasks: [] },
    ],
    domains: [
      {
        name: 'pizza',
        path: join(domains, 'index.ts'),
        taskQueue: 'pizza-task-queue',
        tasks: [{ name: 'bake', taskQueue: 'pizza-task-queue' }],
      },
    ],
    skipped: [{ name: 'docs' }, { name: 'domains' }],
    failures: [{ name: 'broken', code: 'MODULE_LOAD_FAILED' }],
  });
  const shown = await everstep(['integrations', 'list', root, '--exclude', 'broken', 'domains']);
  expect(shown.code).toBe(0);
  expect(shown.out).toMatch(/^INTEGRATION +WORKFLOWS ON +TASKS\nmail +mail\nvideo +video-tasks\n$/);
  expect(shown.err).toMatch(/^skipped broken: /m);
  const named = await everstep(['integrations', 'list'], { env: { ENABLE_DOMAINS: domains } });
  expect(named.out).toMatch(
    /^DOMAIN +QUEUE +WORKFLOWS +ACTIVITIES +TASKS\npizza +pizza-task-queue +bake\n$/,
  );
  const none = await everstep(['integrations', 'list', join(root, 'nowhere')]);
  expect(none.code).toBe(1);
  expect(none.err).toMatch(/^everstep: [^\n]+nowhere[^\n]+\n$/);
});

it('watches the folder of the project that a path is in, and never packages', () => {
  const root = writtenFolder({ 'src/tasks/a.ts': '', 'b.ts': '' });
  const folders = watchedFolders(['src/tasks', 'src/tasks/a.ts', 'b.ts'], root);
  expect(folders).toEqual([
    { path: join(root, 'src'), recursive: true },
    { path: root, recursive: false },
  ]);
});

it('runs as processes: dev serves, runs workers, reloads them at a change, and stops', async () => {
  const index = JSON.stringify(fileURLToPath(new URL('../../src/index.ts', import.meta.url)));
  const version = (text: string): string => `import { AsyncTask } from ${index};
    export const version = new AsyncTask({ name: 'version', task: async () => '${text}' });`;
  const root = writtenFolder({ 'tasks/version.ts': version('one') });
  const store = `sqlite:${join(root, 'tasks.db')}`;
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const run = ['--import', import.meta.resolve('tsx'), main, 'dev', 'tasks', '--port', '0'];
  const apart = ['--store', store, '--isolation', 'process'];
  const dev = spawn(process.execPath, [...run, ...apart], { cwd: root, detached: true });
  onTestFinished(() => void dev.kill('SIGKILL'));
  let said = '';
  dev.stdout.on('data', (text: Buffer) => (said += text.toString()));
  dev.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const times = (text: string): number => said.split(text).length - 1;
  const answer = async (taskId: string): Promise<string> => {
    await everstep(['tasks', 'submit', 'version', '--task-id', taskId, '--store', store]);
    return (await everstep(['tasks', 'result', taskId, '--store', store])).out;
  };
  const ready = { timeout: 90_000, interval: 50 };
  await expect.poll(() => times('worker runs: task-modules, a process each'), ready).toBe(1);
  expect(said).toMatch(/server on 127\.0\.0\.1:\d+, SQLite file/);
  expect(await answer('a')).toBe('"one"\n');
  writeFileSync(join(root, 'tasks/version.ts'), version('two'));
  await expect.poll(() => times('worker runs: task-modules, a process each'), ready).toBe(2);
  expect(said).toContain('version.ts has changed; the worker begins anew');
  expect(await answer('b')).toBe('"two"\n');
  // As a terminal's Ctrl-C, which reaches every process of the group, and again through whoever started it.
  const group = -(dev.pid as number);
  process.kill(group, 'SIGINT');
  dev.kill('SIGINT');
  const [code] = (await once(dev, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(times('worker stopped')).toBe(2);
  expect(times('task-modules on async-tasks is running')).toBe(2);
  expect(times('is backing-off')).toBe(0);
  expect(() => process.kill(group, 0)).toThrow('ESRCH');
}, 240_000);
