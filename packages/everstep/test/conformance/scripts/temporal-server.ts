/** Temporal's own development server, found or built, on a free port of this machine and a file of its own. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { freePort } from '../../free-port.ts';
import type { Target } from './target.ts';

const run = promisify(execFile);
/** The version that the comparison was written against. */
export const cliModule = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const startMsMax = 30_000;

/** The path of the `temporal` program; built with Go when it is not there; undefined without Go. */
export async function temporalProgram(): Promise<string | undefined> {
  const onPath = onSearchPath('temporal');
  if (onPath) return onPath;
  const go = onSearchPath('go');
  const folders = [process.env['GOBIN'] ?? ''];
  if (go) {
    const { stdout } = await run(go, ['env', 'GOPATH']);
    folders.push(
      ...stdout
        .trim()
        .split(delimiter)
        .map((path) => join(path, 'bin')),
    );
  }
  const find = (): string | undefined =>
    folders.map((folder) => join(folder, 'temporal')).find((path) => existsSync(path));
  const built = find();
  if (built || !go) return built;
  console.log(`building ${cliModule}; this takes some minutes once`);
  await run('nice', [go, 'install', cliModule], { maxBuffer: 2 ** 24 });
  return find();
}

/** Serves the namespace `default` when it resolves. */
export async function startTemporal(
  program: string,
): Promise<{ readonly address: string; readonly stop: () => Promise<void> }> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const flags = ['--ip', '127.0.0.1', '--port', String(port), '--headless', '--log-level', 'error'];
  flags.push('--search-attribute', 'CustomKeywordField=Keyword');
  // Scripts run beside each other, and the server lets a namespace have one batch at a time.
  flags.push('--dynamic-config-value', 'frontend.MaxConcurrentBatchOperationPerNamespace=100');
  // What it keeps in memory it loses, namespaces and all, when its calls time out on a busy machine.
  const folder = mkdtempSync(join(tmpdir(), 'everstep-conformance-'));
  flags.push('--db-filename', join(folder, 'temporal.db'));
  const server = spawn(program, ['server', 'start-dev', ...flags], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  const until = Date.now() + startMsMax;
  for (;;) {
    try {
      await (await connectedTo(address)).close();
      return { address, stop };
    } catch (error) {
      if (Date.now() < until && server.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        continue;
      }
      await stop();
      throw new Error(`${program} did not begin to serve at ${address}`, { cause: error });
    }
  }
}

export async function temporalTarget(program: string): Promise<Target> {
  const { address, stop } = await startTemporal(program);
  const connection = await connectedTo(address);
  return {
    name: 'temporal',
    connection,
    stop: async () => {
      await connection.close();
      await stop();
    },
  };
}

async function connectedTo(address: string): Promise<Connection> {
  // A refusal is what is compared: it is not to be tried again.
  const connection = await Connection.connect({ address, connectTimeout: 2_000, interceptors: [] });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function onSearchPath(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
}
