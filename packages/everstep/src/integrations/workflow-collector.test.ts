import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { writtenFolder } from '../../test/written-folder.ts';
import type { Logger } from '../service/logger.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import {
  collectIntegrationWorkflows,
  WorkflowCollector,
  type WorkflowCollection,
  type WorkflowCollectorOptions,
} from './workflow-collector.ts';

const workflows = 'export async function hello(): Promise<string> { return "hello"; }';
const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Nobody reads it.
}

/** An index whose object has these tasks. */
function indexWith(...tasks: readonly string[]): string {
  const made = tasks.map((options) => `new AsyncTask({ task: async () => 1, ${options} })`);
  return `import { AsyncTask } from 'everstep';
    export default { createAsyncTasks: () => [${made.join(', ')}] };`;
}

function collect(
  folder: string | URL,
  options: WorkflowCollectorOptions = {},
): Promise<WorkflowCollection> {
  return new WorkflowCollector({ logger: silent, ...options }).collect(folder);
}

/** The one folder of it that failed, in words. */
async function failureOf(
  files: Readonly<Record<string, string>>,
  options?: WorkflowCollectorOptions,
): Promise<{ path: string; code: string; message: string }> {
  const root = writtenFolder({ 'good/workflows/index.ts': workflows, ...files });
  const { integrations, failures } = await collect(root, options);
  expect(integrations.map((found) => found.integrationName)).toContain('good');
  expect(failures).toHaveLength(1);
  const [failure] = failures;
  return {
    path: failure?.path.slice(root.length + 1) ?? '',
    code: failure?.error.code ?? '',
    message: failure?.error.message.replaceAll(`${root}/`, '') ?? '',
  };
}

it('finds official workflows, their activities, and the tasks of an object', async () => {
  const root = writtenFolder({
    'mail/workflows/index.ts': workflows,
    'mail/activities/index.mjs': 'export async function send() {}',
    'video/index.ts': indexWith(`name: 'render'`, `name: 'cut', taskQueue: 'gpu'`),
    'both/workflows/index.js': workflows,
    'both/index.ts': indexWith(`name: 'both'`),
  });

  const { integrations, skipped, failures } = await collect(root);

  expect({ skipped, failures }).toEqual({ skipped: [], failures: [] });
  const [both, mail, video] = integrations;
  expect(both).toMatchObject({
    integrationName: 'both',
    workflowsPath: join(root, 'both/workflows/index.js'),
  });
  expect(mail).toEqual({
    integrationName: 'mail',
    integrationPath: join(root, 'mail'),
    workflowsPath: join(root, 'mail/workflows/index.ts'),
    activitiesPath: join(root, 'mail/activities/index.mjs'),
    taskQueue: 'mail-tasks',
    tasks: [],
  });
  expect(video).toMatchObject({ integrationName: 'video', taskQueue: 'video-tasks' });
  expect(video).not.toHaveProperty('workflowsPath');
  expect(video?.tasks.map((task) => [task.getName(), task.taskQueue])).toEqual([
    ['render', ''],
    ['cut', 'gpu'],
  ]);
  expect(video?.tasks.every((task) => task instanceof AsyncTask)).toBe(true);
});

it('says of each folder that it skips why it does', async () => {
  const root = writtenFolder({
    '.git/workflows/index.ts': workflows,
    'node_modules/x/index.js': 'export default {};',
    'docs/workflows/index.ts': workflows,
    'kafka.old/workflows/index.ts': workflows,
    'example_one/workflows/index.ts': workflows,
    'notes.md': 'no folder',
    'empty/readme.md': '',
    'half/workflows/other.ts': workflows,
    'plain/index.ts': 'export const greeting = "hello";',
  });

  const { integrations, skipped, failures } = await collect(root);

  expect({ integrations, failures }).toEqual({ integrations: [], failures: [] });
  expect(Object.fromEntries(skipped.map(({ name, reason }) => [name, reason]))).toEqual({
    '.git': 'its name starts with a dot',
    node_modules: 'it holds packages',
    docs: 'the blacklist has "docs"',
    'kafka.old': 'the blacklist has "kafka.old"',
    example_one: 'the blacklist has "example_*"',
    'notes.md': 'it is no folder',
    empty:
      'it has neither workflows/ with an index.ts, index.js or index.mjs nor an index of its own',
    half: 'its folder workflows has no index.ts, index.js or index.mjs',
    plain: 'its index provides no createAsyncTasks(), and it has no workflows',
  });
});

it('sees the exports of a file whose strings look like comments', async () => {
  const root = writtenFolder({
    'mail/workflows/index.ts': `const glob = 'src/**'; ${workflows} const end = "*/ // it's";`,
  });
  expect((await collect(root)).integrations).toHaveLength(1);
});

it('takes a blacklist in the place of its own, with patterns, and still no dot folder', async () => {
  const root = writtenFolder({
    'docs/workflows/index.ts': workflows,
    'kafkaXold/workflows/index.ts': workflows,
    'v1/workflows/index.ts': workflows,
    'v22/workflows/index.ts': workflows,
    '.hidden/workflows/index.ts': workflows,
  });
  const found = await collectIntegrationWorkflows(pathToFileURL(root), {
    blacklist: ['kafka.old', 'v?', '(['],
    logger: silent,
  });
  expect(found.map((one) => one.integrationName)).toEqual(['docs', 'kafkaXold', 'v22']);
});

it('reads folders of any name, and an empty one', async () => {
  const names = ['Upper', 'with space', 'ünï✓', 'a+b'];
  const root = writtenFolder(
    Object.fromEntries(names.map((name, at) => [`${name}/index.ts`, indexWith(`name: 't${at}'`)])),
  );
  const { integrations, failures } = await collect(root);
  expect(failures).toEqual([]);
  expect(integrations.map(({ taskQueue }) => taskQueue).toSorted()).toEqual(
    names.map((name) => `${name}-tasks`).toSorted(),
  );
  expect(await collect(writtenFolder({}))).toEqual({ integrations: [], skipped: [], failures: [] });
});

it('takes the tasks of an object, a factory, a class, or named exports', async () => {
  const task = (name: string): string => `new AsyncTask({ name: '${name}', task: async () => 1 })`;
  const withImport = (code: string): string => `import { AsyncTask } from 'everstep';\n${code}`;
  const root = writtenFolder({
    'class/index.ts': withImport(
      `export default class { made = ${task('a')}; createAsyncTasks() { return [this.made]; } }`,
    ),
    'factory/index.ts': withImport(
      `export default async () => ({ createAsyncTasks: async () => [${task('b')}] });`,
    ),
    'named/index.ts': withImport(`export function createAsyncTasks() { return [${task('c')}]; }`),
    'late/index.ts': withImport(
      `const made = await Promise.resolve(${task('d')}); export default { createAsyncTasks: () => [made] };`,
    ),
  });
  const { integrations, failures } = await collect(root);
  expect(failures).toEqual([]);
  expect(integrations.flatMap(({ tasks }) => tasks.map((one) => one.getName())).sort()).toEqual([
    'a',
    'b',
    'c',
    'd',
  ]);
});

it('names the file of an index that throws, and goes on', async () => {
  expect(await failureOf({ 'bad/index.ts': `throw new TypeError('no key is set');` })).toEqual({
    path: 'bad/index.ts',
    code: 'MODULE_LOAD_FAILED',
    message: 'bad/index.ts cannot be loaded: no key is set. Correct the file; it was left out.',
  });
});

it('gives up an index that never settles, and tasks that never come', async () => {
  expect(
    await failureOf(
      { 'bad/index.ts': `await new Promise(() => {}); export default {};` },
      { loadTimeout: 50 },
    ),
  ).toMatchObject({
    code: 'MODULE_LOAD_FAILED',
    message: expect.stringContaining('It was not evaluated within 50 ms'),
  });
  expect(
    await failureOf(
      { 'bad/index.ts': `export const createAsyncTasks = () => new Promise(() => {});` },
      // Its index has to be loaded within that.
      { loadTimeout: 1_000 },
    ),
  ).toMatchObject({
    code: 'INTEGRATION_INVALID',
    message: expect.stringContaining('createAsyncTasks() did not answer within 1 second'),
  });
});

it.each([
  ['exports nothing', `const private_ = 1; export {};`, 'bad/index.ts exports nothing'],
  ['has a number as its object', `export default 5;`, 'its default export is 5'],
  ['has a factory of nothing', `export default () => null;`, 'returned null'],
  [
    'has a factory that throws',
    `export default () => { throw new Error('no config'); };`,
    'its tasks were not created: no config',
  ],
  [
    'has no function for its tasks',
    `export const createAsyncTasks = 5;`,
    'createAsyncTasks is 5; expected a function',
  ],
  [
    'throws what is no error',
    `export function createAsyncTasks() { throw null; }`,
    'its tasks were not created: null',
  ],
  [
    'gives no list',
    `export const createAsyncTasks = () => undefined;`,
    'createAsyncTasks() gave null; expected a list of AsyncTask',
  ],
  [
    'gives what is no task',
    `export const createAsyncTasks = () => [{ getName: () => 'x' }];`,
    'gave an object in place 0; expected an AsyncTask',
  ],
  [
    'gives a task of another everstep',
    `class AsyncTask {} export const createAsyncTasks = () => [new AsyncTask()];`,
    'another copy of everstep',
  ],
])('refuses an index that %s', async (_, source, problem) => {
  const failure = await failureOf({ 'bad/index.ts': source });
  expect(failure).toMatchObject({ path: 'bad/index.ts', code: 'INTEGRATION_INVALID' });
  expect(failure.message).toContain(problem);
});

it.each([
  [
    'a file for a folder',
    { 'bad/workflows': 'x' },
    'bad/workflows',
    'is a file; expected a folder',
  ],
  [
    'workflows that export nothing',
    { 'bad/workflows/index.ts': '// export nothing\n/* export */\nexport {};' },
    'bad/workflows/index.ts',
    'exports nothing; expected workflows as exported functions',
  ],
  [
    'activities that export nothing',
    { 'bad/workflows/index.ts': workflows, 'bad/activities/index.ts': '' },
    'bad/activities/index.ts',
    'exports nothing; expected activities as exported functions',
  ],
])('refuses %s', async (_, files, path, problem) => {
  const failure = await failureOf(files as Readonly<Record<string, string>>);
  expect(failure.code).toBe('INTEGRATION_INVALID');
  expect(failure.message).toContain(`${path} ${problem}`);
});

it('survives links in a circle, links to what was read, and folders it may not read', async () => {
  const root = writtenFolder({
    'good/workflows/index.ts': workflows,
    'shut/workflows/index.ts': workflows,
  });
  symlinkSync('loop', join(root, 'loop'));
  symlinkSync('.', join(root, 'self'));
  symlinkSync('good', join(root, 'other'));
  symlinkSync('nowhere', join(root, 'gone'));
  const mayReadAll = process.getuid?.() === 0;
  if (!mayReadAll) chmodSync(join(root, 'shut'), 0);

  const { integrations, skipped, failures } = await collect(root);
  chmodSync(join(root, 'shut'), 0o755);

  expect(integrations.map((one) => one.integrationName)).toEqual(
    mayReadAll ? ['good', 'shut'] : ['good'],
  );
  expect(skipped.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
    `other: it is a link to ${join(root, 'good')}, which is read already`,
    `self: it is a link to ${root}, which is read already`,
  ]);
  expect(failures.map(({ name }) => name)).toEqual(
    mayReadAll ? ['gone', 'loop'] : ['gone', 'loop', 'shut'],
  );
  expect(failures[1]?.error.message).toContain('cannot be read: ELOOP');
});

it('refuses a queue or a task name that is there already, naming both', async () => {
  const files = {
    'a/workflows/index.ts': workflows,
    'a/index.ts': indexWith(`name: 'same'`),
    'b/workflows/index.ts': workflows,
    'c/index.ts': indexWith(`name: 'same'`),
    'd/index.ts': indexWith(`name: 'd', taskQueue: 'a-tasks'`),
    'e/index.ts': indexWith(`name: 'e'`, `name: 'e'`),
    'f/index.ts': indexWith(`name: 'f', taskQueue: 'gpu'`, `name: 'f2', taskQueue: 'gpu'`),
    'g/index.ts': indexWith(`name: 'g', taskQueue: 'gpu'`),
  };
  const root = writtenFolder(files);
  const { integrations, failures } = await collect(root, {
    queueName: (name) => (name === 'b' ? 'a-tasks' : `${name}-tasks`),
  });
  expect(integrations.map((one) => one.integrationName)).toEqual(['a', 'f']);
  expect(failures.map(({ name, error }) => `${name} ${error.code}`)).toEqual([
    'b DUPLICATE_NAME',
    'c DUPLICATE_NAME',
    'd DUPLICATE_NAME',
    'e DUPLICATE_NAME',
    'g DUPLICATE_NAME',
  ]);
  const [b, c, d, e, g] = failures.map(({ error }) => error.message);
  expect(b).toContain('its queue "a-tasks" is that of integration "a"');
  expect(c).toContain('integration "a" has a task named "same" already');
  expect(d).toContain('task "d" names the queue "a-tasks", on which official workflows are run');
  expect(e).toContain('gave two tasks named "e"');
  expect(g).toContain(
    `"g" (${root}/g/index.ts) has the queue "gpu", which is that of "f" (${root}/f/index.ts)`,
  );
});

it('throws the first failure where it is strict', async () => {
  const root = writtenFolder({ 'bad/index.ts': `throw new Error('no');` });
  await expect(
    collectIntegrationWorkflows(root, { strict: true, logger: silent }),
  ).rejects.toMatchObject({ code: 'MODULE_LOAD_FAILED' });
});

it('tells the log what it found, skipped and left out', async () => {
  const root = writtenFolder({
    'good/workflows/index.ts': workflows,
    'docs/x.md': '',
    'bad/index.ts': `throw new Error('no');`,
  });
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  await collect(root, {
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  });
  expect(lines).toEqual([
    'info Integration good was found',
    'info Folder docs was skipped: the blacklist has "docs"',
    expect.stringContaining('error An integration was left out. '),
  ]);
});

it('refuses what is no folder', async () => {
  const root = writtenFolder({ 'a.txt': '' });
  const problem = async (folder: unknown): Promise<unknown> =>
    collect(folder as string).catch((error: { code: string; message: string }) =>
      [error.code, error.message].join(' '),
    );
  expect(await problem(join(root, 'none'))).toContain('INTEGRATION_DIRECTORY There is no folder');
  expect(await problem(join(root, 'a.txt'))).toContain('is no folder');
  for (const odd of [undefined, 5, '', 'a\0b', new URL('https://example.org/')]) {
    expect(await problem(odd)).toContain('INTEGRATION_DIRECTORY The folder of integrations is');
  }
});

it.each([
  [{ blackList: [] }, 'blackList is no field of it'],
  [{ blacklist: 'docs' }, 'blacklist is "docs"'],
  [{ blacklist: [5] }, 'expected a list of names'],
  [{ queueName: 'x' }, 'queueName is "x"'],
  [{ strict: 'yes' }, 'strict is "yes"'],
  [{ loadTimeout: 'soon' }, 'loadTimeout is "soon"'],
  [{ logger: {} }, 'logger has no method debug'],
  [[], 'the options are an array'],
])('refuses the options %j', (options, problem) => {
  expect(() => new WorkflowCollector(options as WorkflowCollectorOptions)).toThrow(problem);
});

it.each([
  [() => '', 'returned ""'],
  [() => 5, 'returned 5'],
  [
    () => {
      throw new TypeError('oh');
    },
    'threw: oh',
  ],
])('refuses a queueName that gives no name', async (queueName, problem) => {
  const root = writtenFolder({ 'good/workflows/index.ts': workflows });
  const { failures } = await collect(root, { queueName: queueName as () => string });
  expect(failures[0]?.error.code).toBe('DISCOVERY_OPTIONS_INVALID');
  expect(failures[0]?.error.message).toContain(problem);
});
