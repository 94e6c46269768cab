/** Six checks: of collecting, excluding, connecting and submitting. Exit code 0: all have passed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectIntegrationWorkflows, WorkerManager, WorkflowCollector } from 'everstep';
import { testAsyncTask } from './index.ts';
import type * as workflows from './workflows/index.ts';

const integrations = fileURLToPath(new URL('..', import.meta.url));
const name = basename(fileURLToPath(new URL('.', import.meta.url)));
const taskQueue = `${name}-tasks`;
const folder = mkdtempSync(join(tmpdir(), 'everstep-test-async-task-'));
const quiet = { debug() {}, info() {}, warn() {}, error: console.error };
const manager = new WorkerManager({
  logger: quiet,
  ...(!process.env['TEMPORAL_ADDRESS'] && { store: `sqlite:${join(folder, 'tasks.db')}` }),
});
let passed = 0;

async function check(what: string, prove: () => Promise<string>): Promise<void> {
  try {
    console.log(`ok ${what}: ${await prove()}`);
    passed += 1;
  } catch (error) {
    console.error(`FAILED ${what}:`, error);
  }
}

const only = { blacklist: ['video-*', 'image-*'], strict: true, logger: quiet };

await check('1 collects the integration', async () => {
  const found = await collectIntegrationWorkflows(integrations, only);
  const own = found.find((one) => one.integrationName === name);
  assert.equal(own?.workflowsPath, join(integrations, name, 'workflows/index.ts'));
  assert.equal(own.activitiesPath, join(integrations, name, 'activities/index.ts'));
  assert.deepEqual(own.tasks, [testAsyncTask]);
  return `workflows, activities and ${own.tasks.length} task, on ${own.taskQueue}`;
});

await check('2 excludes what the blacklist has', async () => {
  const collector = new WorkflowCollector({ ...only, blacklist: [...only.blacklist, 'test-*'] });
  const { integrations: found, skipped } = await collector.collect(integrations);
  assert.ok(!found.some((one) => one.integrationName === name));
  const reason = skipped.find((one) => one.name === name)?.reason;
  assert.equal(reason, 'the blacklist has "test-*"');
  return reason;
});

await check('3 connects, and starts the workers', async () => {
  await manager.connect();
  await manager.create(await collectIntegrationWorkflows(integrations, only));
  await manager.start();
  const states = manager.status().map(({ state }) => state);
  assert.ok(states.length > 0 && states.every((state) => state === 'running'), states.join());
  return `${states.length} running`;
});

/** The result of a workflow, and how it was started. */
async function outcomeOf<K extends keyof typeof workflows & `${string}Workflow`>(
  type: K,
  input: Parameters<(typeof workflows)[K]>[0],
): Promise<unknown> {
  const handle = await manager.getClient().workflow.start(type, {
    taskQueue,
    workflowId: `${type}-${process.pid}`,
    args: [input],
  });
  return handle.result();
}

await check('4 submits simple and delayed workflows', async () => {
  const input = { taskId: 'one', data: 'hello' };
  const [simple, delayed] = await Promise.all([
    outcomeOf('simpleTestWorkflow', input),
    outcomeOf('delayedTestWorkflow', { ...input, delayMs: 100 }),
  ]);
  assert.deepEqual(simple, { taskId: 'one', result: 'HELLO', attempt: 1 });
  assert.deepEqual(delayed, simple);
  return 'both answered HELLO';
});

await check('5 submits workflows of many steps, with retries and heartbeats', async () => {
  const [many, long] = await Promise.all([
    outcomeOf('multiStepTestWorkflow', { taskId: 'two', parts: ['a', 'b'] }),
    outcomeOf('longRunningTestWorkflow', { parts: 3, partMs: 50 }),
  ]);
  assert.deepEqual(many, { results: ['A', 'B'], attempts: 3 });
  assert.equal(long, '3 parts');
  return 'the unstable activity was tried 3 times, the long one had 3 parts';
});

await check('6 submits an async task', async () => {
  const taskId = await testAsyncTask.submit({ data: 'hello' });
  assert.equal(await testAsyncTask.result(taskId), 'HELLO HELLO');
  const { status, completedSteps } = await testAsyncTask.getStatus(taskId);
  assert.deepEqual(
    { status, completedSteps },
    { status: 'completed', completedSteps: ['upper', 'twice'] },
  );
  return 'completed, with the steps upper and twice';
});

await manager.stop();
rmSync(folder, { recursive: true, force: true });
console.log(`${passed} of 6 checks passed`);
process.exitCode = passed === 6 ? 0 : 1;
