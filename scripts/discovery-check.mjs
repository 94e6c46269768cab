// Finds TypeScript integrations and domains in a folder where the packed tarball is installed, as a user's application
// does: on this Node, without a loader. Also that their classes are those of the application, and that it submits.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('discovery-check: give the folder in which everstep is installed');
  process.exit(1);
}

const files = {
  // As many are: without "type": "module".
  'integrations/package.json': '{ "name": "integrations", "private": true }',
  // Types that can be stripped.
  'integrations/plain/index.ts': `
    import { AsyncTask, step } from 'everstep';
    const greet: AsyncTask<{ name: string }, string> = new AsyncTask({
      name: 'greet',
      task: async function* ({ name }: { name: string }) {
        return yield* step('greet', () => \`Hello, \${name}\`);
      },
    });
    export default { createAsyncTasks: () => [greet] };`,
  // What type stripping cannot: an enum, a parameter property, imports without endings, a type imported as a value.
  'integrations/rich #1%/index.ts': `
    import { AsyncTask } from 'everstep';
    import { Kind, Shape } from './kind';
    class Integration {
      constructor(private readonly shape: Shape = { kind: Kind.Round }) {}
      createAsyncTasks() {
        return [new AsyncTask({ name: 'shape', task: async () => Kind[this.shape.kind] })];
      }
    }
    export default Integration;`,
  'integrations/rich #1%/kind.ts': `
    export enum Kind { Flat, Round }
    export interface Shape { kind: Kind }`,
  'integrations/bad/index.ts': `throw new Error('no key is set');`,
  'integrations/mail/workflows/index.ts': `export async function send(): Promise<void> {}`,
  'package.json': '{ "type": "module" }',
  'domains/hello/index.ts': `
    import { AsyncTask, workflow } from 'everstep';
    enum Queue { Hello = 'hello-task-queue' }
    export const TASK_QUEUE = Queue.Hello;
    export const workflows = [workflow({ name: 'hello' }, async () => 'hello')];
    export const tasks = [new AsyncTask({ name: 'clean', task: async () => 1 })];`,
  'main.mjs': `
    import assert from 'node:assert/strict';
    import { AsyncTask, AsyncTaskComponent, loadDomains, Workflow, WorkflowCollector } from 'everstep';
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const { integrations, failures } = await new WorkflowCollector({ logger }).collect('integrations');
    assert.deepEqual(integrations.map((one) => one.integrationName), ['mail', 'plain', 'rich #1%']);
    assert.deepEqual(failures.map((one) => [one.name, one.error.code]), [['bad', 'MODULE_LOAD_FAILED']]);
    const tasks = integrations.flatMap((one) => one.tasks);
    assert.ok(tasks.length === 2 && tasks.every((task) => task instanceof AsyncTask));
    const { domains } = await loadDomains('domains.hello', { strict: true, logger });
    assert.ok(domains[0].workflows[0] instanceof Workflow && domains[0].tasks[0] instanceof AsyncTask);
    const component = new AsyncTaskComponent({ store: 'memory', logger });
    component.registerAll(tasks);
    await component.start();
    const [greet, shape] = tasks;
    assert.equal(await greet.result(await greet.submit({ name: 'Ada' })), 'Hello, Ada');
    assert.equal(await shape.result(await shape.submit({})), 'Round');
    await component.stop();
    console.log(\`Node \${process.version} finds, loads and runs TypeScript integrations and domains\`);`,
};

const home = join(folder, 'discovery');
try {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  execFileSync(process.execPath, ['main.mjs'], { cwd: home, stdio: 'inherit' });
} catch (error) {
  console.error(`discovery-check: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
