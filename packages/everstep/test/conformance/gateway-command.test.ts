/** The command `everstep server start-dev`, started as a process, as those start it that know Temporal's. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { quietWorkers } from './gateway-host.ts';
import { HostileStreams } from './hostile-streams.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
let folder: string;
let path: string;

beforeAll(() => {
  quietWorkers();
  folder = mkdtempSync(join(tmpdir(), 'everstep-command-'));
  path = join(folder, 'everstep');
  const loader = fileURLToPath(import.meta.resolve('tsx'));
  writeFileSync(
    path,
    `#!/bin/sh\nexec "${process.execPath}" --import "${loader}" "${main}" "$@"\n`,
  );
  chmodSync(path, 0o755);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function ended(args: readonly string[]): Promise<{ code: unknown; stderr: string }> {
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, stderr };
}

it('is started by TestWorkflowEnvironment.createLocal in the place of Temporal', async () => {
  const Colour = defineSearchAttributeKey('Colour', SearchAttributeType.KEYWORD);
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      namespace: 'tests',
      searchAttributes: [Colour],
    },
  });
  try {
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      namespace: 'tests',
      taskQueue: 'q',
      workflowsPath: fileURLToPath(new URL('./gateway-workflows.ts', import.meta.url)),
      activities: { greet: (name: string) => Promise.resolve(`Hello, ${name}!`) },
    });
    const result = await worker.runUntil(
      environment.client.workflow.execute('greeting', {
        workflowId: 'a',
        taskQueue: 'q',
        args: ['Ada'],
        typedSearchAttributes: [{ key: Colour, value: 'red' }],
      }),
    );
    expect(result).toBe('Hello, Ada!');
    const found = [];
    for await (const run of environment.client.workflow.list({ query: "Colour = 'red'" })) {
      found.push([run.workflowId, run.typedSearchAttributes.get(Colour)]);
    }
    expect(found).toEqual([['a', 'red']]);
  } finally {
    await environment.teardown();
  }
}, 60_000);

it('keeps runs in the file it was given, and stops when it is told to', async () => {
  const file = join(folder, 'dev.db');
  for (const round of [1, 2]) {
    const options = ['--headless', '--port', '0', '--metrics-port', '0', '--db-filename', file];
    const child = spawn(path, ['server', 'start-dev', ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    await expect.poll(() => said, { timeout: 30_000 }).toContain('/metrics\n');
    const address = /127\.0\.0\.1:\d+/.exec(said)?.[0] ?? '';
    const connection = await Connection.connect({ address });
    const { workflow } = new Client({ connection });
    if (round === 1) await workflow.start('Order', { workflowId: 'kept', taskQueue: 'q' });
    expect((await workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
    await connection.close();
    const metrics = await fetch(/http:\S+/.exec(said)?.[0] ?? '');
    expect(await metrics.text()).toContain('operation="DescribeWorkflowExecution"');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  }
  expect(existsSync(file)).toBe(true);
}, 60_000);

it('says nothing on standard error of a caller whose metadata makes no sense', async () => {
  const args = ['server', 'start-dev', '--port', '0'];
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const streams = new HostileStreams(/127\.0\.0\.1:\d+/.exec(line.toString())?.[0] ?? '');
  const health = '/grpc.health.v1.Health/Check';
  expect(await streams.send('odd metadata', health)).toMatchObject({ status: '0' });
  streams.close();
  child.kill('SIGTERM');
  await once(child, 'close');
  expect(said).toBe('');
}, 60_000);

it.each([
  [['server', 'start-dev', '--port', 'x'], 'A port is a whole number'],
  [['server', 'start-dev', '--search-attribute', 'A=Colour'], 'The type is one of Text'],
  [['server', 'start-dev', '--no-such-flag'], 'unknown option'],
  [['server', '--store', 'nowhere:x'], 'is not a database that Everstep knows'],
  [['server', '--store', 'memory', '--address', '7233'], 'expected host:port'],
  [['server', '--store', 'memory', '--retention', 'soon'], '--retention'],
  [['server', '--store', 'memory', '--metrics', 'here'], "--metrics is 'here'; expected host:port"],
])('says what is wrong with %j and ends with 2', async (args, message) => {
  const { code, stderr } = await ended(args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('    at ');
});
