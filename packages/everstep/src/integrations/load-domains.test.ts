import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writtenFolder } from '../../test/written-folder.ts';
import type { Logger } from '../service/logger.ts';
import { loadDomains, type DomainCollection, type LoadDomainsOptions } from './load-domains.ts';

function ignore(): void {
  // Nobody reads it.
}

const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function load(
  names: string | readonly string[],
  cwd: string,
  options: LoadDomainsOptions = {},
): Promise<DomainCollection> {
  return loadDomains(names, { cwd, logger, ...options });
}

/** Of one domain with this module. */
async function failureOf(source: string): Promise<string> {
  const root = writtenFolder({ 'bad.ts': source });
  const { domains, failures } = await load('bad', root);
  expect(domains).toEqual([]);
  const [failure] = failures;
  expect(failure?.path).toBe(join(root, 'bad.ts'));
  return `${failure?.error.code}: ${failure?.error.message.replaceAll(`${root}/`, '')}`;
}

const queue = `export const TASK_QUEUE = 'q';\n`;

it('loads domains by path, by file and in dotted form, in their order', async () => {
  const root = writtenFolder({
    'domains/hello/index.ts': `export const TASK_QUEUE = 'hello-task-queue';
      export const workflows = './workflows';
      export const activities = { greet: async (name: string) => name };`,
    'domains/hello/workflows.ts': 'export async function hello() {}',
    'app/domains/pizza.mjs': `export const TASK_QUEUE = 'pizza-task-queue';
      export const activities = [function bake() {}];`,
    'v1.2/index.js': `module.exports = { TASK_QUEUE: 'dots', tasks: [] };`,
  });
  const { domains, failures } = await load(
    ' app.domains.pizza, domains/hello,, ./domains/hello/index.ts,v1.2',
    root,
  );
  expect(failures).toEqual([]);
  expect(domains).toEqual([
    {
      name: 'pizza',
      path: join(root, 'app/domains/pizza.mjs'),
      taskQueue: 'pizza-task-queue',
      activities: { bake: expect.any(Function) },
      tasks: [],
    },
    {
      name: 'hello',
      path: join(root, 'domains/hello/index.ts'),
      taskQueue: 'hello-task-queue',
      workflowsPath: join(root, 'domains/hello/workflows.ts'),
      activities: { greet: expect.any(Function) },
      tasks: [],
    },
    {
      name: 'v1.2',
      path: join(root, 'v1.2/index.js'),
      taskQueue: 'dots',
      activities: {},
      tasks: [],
    },
  ]);
});

it('takes Everstep workflows, activities and tasks, and bundles', async () => {
  const root = writtenFolder({
    'own.ts': `import { activity, AsyncTask, workflow } from 'everstep';
      export const TASK_QUEUE = 'own';
      export const workflows = { order: workflow({ name: 'order' }, async () => 1) };
      export const activities = { any: activity({ name: 'bake', run: () => 1 }), boil: () => 2 };
      export const tasks = [new AsyncTask({ name: 'clean', task: async () => 1 })];`,
    'code.ts': `export const TASK_QUEUE = 'code'; export const workflows = { code: 'x' };`,
    'file.ts': `export const TASK_QUEUE = 'file'; export const workflows = { codePath: 'b.js' };`,
    'url.ts': `export const TASK_QUEUE = 'url'; export const workflows = new URL('b.js', import.meta.url);`,
    'b.js': '',
  });
  const { domains, failures } = await load(['own', 'code', 'file', 'url'], root);
  expect(failures).toEqual([]);
  const [own, ...bundled] = domains;
  expect(own?.workflows?.map((one) => one.getName())).toEqual(['order']);
  expect(Object.keys(own?.activities ?? {})).toEqual(['bake', 'boil']);
  expect(own?.tasks.map((one) => one.getName())).toEqual(['clean']);
  expect(bundled).toMatchObject([
    { workflowBundle: { code: 'x' } },
    { workflowBundle: { codePath: join(root, 'b.js') } },
    { workflowsPath: join(root, 'b.js') },
  ]);
});

it.each([
  ['', 'DOMAIN_INVALID: Domain bad.ts exports nothing; expected TASK_QUEUE'],
  ['export const tasks = [];', 'TASK_QUEUE is undefined; expected a string'],
  [queue, 'exports neither workflows nor activities nor tasks'],
  [`${queue}export const workflows = './none';`, 'workflows is "./none", and there is no module'],
  [`${queue}export const workflows = 'file://%';`, 'expected the path of a module'],
  [`${queue}export const workflows = 'a\\0b';`, 'expected the path of a module'],
  [`${queue}export const workflows = 5;`, 'workflows is 5; expected the path'],
  [`${queue}export const workflows = [];`, 'workflows is empty'],
  [
    `${queue}export const workflows = { hello: async () => 1 };`,
    'workflows.hello is a function; of official workflows give the path',
  ],
  [`${queue}export const workflows = [null];`, 'workflows.0 is null'],
  [`${queue}export const activities = 'x';`, 'activities is "x"; expected an object of functions'],
  [`${queue}export const activities = { bake: 5 };`, 'activities.bake is 5; expected a function'],
  [`${queue}export const activities = [() => 1];`, 'activities.0 has no name'],
  [
    `${queue}import { activity } from 'everstep';
    export const workflows = './bad.ts';
    export const activities = [activity({ name: 'bake', run: () => 1 })];`,
    'official workflows call plain functions',
  ],
  [
    `${queue}const bake = () => 1; export const activities = [bake, bake];`,
    'DUPLICATE_NAME: Domain bad.ts: activities has "bake" twice',
  ],
  [
    `${queue}export const tasks = [1];`,
    'DOMAIN_INVALID: Domain bad.ts: tasks gave 1 in place 0; expected an AsyncTask',
  ],
  [`throw new Error('no oven');`, 'MODULE_LOAD_FAILED: bad.ts cannot be loaded: no oven'],
])('refuses a domain, naming what is wrong: %s', async (source, problem) => {
  expect(await failureOf(source)).toContain(problem);
});

it('says where it looked for a domain that is not there, and loads the others', async () => {
  const root = writtenFolder({
    'a.ts': `${queue}export const tasks = [];`,
    'empty/x.md': '',
  });
  const { domains, failures } = await load(['no.such', 'empty', 'a.ts/x', 'a\0b', 'a'], root);
  expect(domains.map(({ name }) => name)).toEqual(['a']);
  expect(failures.map(({ name, error }) => `${name} ${error.code}`)).toEqual([
    'no.such DOMAIN_NOT_FOUND',
    'empty DOMAIN_NOT_FOUND',
    'a.ts/x DOMAIN_NOT_FOUND',
    'a\0b DOMAIN_NOT_FOUND',
  ]);
  expect(failures[0]?.error.message).toContain(
    `looked for ${join(root, 'no.such')} and ${join(root, 'no/such')},`,
  );
});

it('refuses a name, queue or task that another domain has', async () => {
  const task = (name: string): string =>
    `import { AsyncTask } from 'everstep';
     export const tasks = [new AsyncTask({ name: '${name}', task: async () => 1 })];`;
  const root = writtenFolder({
    'a.ts': `${queue}${task('t')}`,
    'b.ts': `${queue}${task('u')}`,
    'c.ts': `export const TASK_QUEUE = 'c'; ${task('t')}`,
    'more/a.ts': `export const TASK_QUEUE = 'd'; ${task('v')}`,
    'e.ts': `export const TASK_QUEUE = 'e'; ${task(`w', taskQueue: 'q`)}`,
  });
  const { domains, failures } = await load('a,b,c,more/a,e', root);
  expect(domains.map(({ name }) => name)).toEqual(['a']);
  expect(
    failures.map(({ error }) => [error.code, error.message.split(`${root}/a.ts `)[1]]),
  ).toEqual([
    ['DUPLICATE_NAME', 'has the queue "q" already; each needs one of its own.'],
    ['DUPLICATE_NAME', 'has a task named "t" already; each needs one of its own.'],
    ['DUPLICATE_NAME', 'has the name "a" already; each needs one of its own.'],
    ['DUPLICATE_NAME', undefined],
  ]);
  expect(failures.at(-1)?.error.message).toContain(
    `"e" (${root}/e.ts) has the queue "q", which is that of "a" (${root}/a.ts)`,
  );
});

it('throws the first failure where it is strict, and always where no domain is named', async () => {
  const root = writtenFolder({});
  await expect(load('none', root, { strict: true })).rejects.toMatchObject({
    code: 'DOMAIN_NOT_FOUND',
  });
  for (const names of ['', ' , ', [], 5, [5]]) {
    await expect(load(names as string, root)).rejects.toMatchObject({
      code: 'DISCOVERY_OPTIONS_INVALID',
    });
  }
});

it.each([
  [{ dir: '.' }, 'dir is no field of it'],
  [{ cwd: 5 }, 'cwd is 5'],
  [{ strict: 1 }, 'strict is 1'],
  [{ loadTimeout: 0 }, 'loadTimeout is 0'],
  [null, 'the options are null'],
])('refuses the options %j', async (options, problem) => {
  await expect(loadDomains('a', options as LoadDomainsOptions)).rejects.toThrow(problem);
});
