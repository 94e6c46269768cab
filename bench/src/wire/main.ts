/**
 * The gateway beside Temporal's development server, with official clients: latencies between plain calls, and
 * workflows of one activity with the official worker. Both servers are separate processes on SQLite files that are
 * synced at each commit. Exit code 0: every work was done right. 1: one was not. 2: wrong flags.
 */
import { Connection } from '@temporalio/client';
import { rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { makeDataFolder } from '../data-folder.ts';
import { readPeerFlags, type PeerFlags } from '../peers/flags.ts';
import { activityRoundTrip, measureRaw, signalToTask, startToTask } from './raw-works.ts';
import { everstepServer, temporalServer, type WireServer } from './servers.ts';
import type { WireFigures, WireRow } from './wire-row.ts';
import { measureWorker, quietWorker } from './worker-works.ts';

const usage = `Usage: npm run bench:wire -- [options]

  --n N         how many workflows with the official worker, from 100 to 1000000 (2000); the other works follow it
  --only REGEX  only the servers whose name fits: Everstep or Temporal
  --json        one JSON line a row instead of the table
  --help        show this text`;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function measure({ title, start }: WireServer, n: number): Promise<WireRow[]> {
  const folder = makeDataFolder();
  try {
    const server = await start(folder);
    const connection = await Connection.connect({ address: server.urls['address'] ?? '' });
    try {
      const few = Math.ceil(n / 10);
      const raw = {
        'start to first workflow task': await measureRaw(connection, startToTask, few),
        'signal to workflow task': await measureRaw(connection, signalToTask, few),
        'activity round trip': await measureRaw(connection, activityRoundTrip, few),
      };
      const { many, single } = await measureWorker(server, connection, n);
      const works: Readonly<Record<string, WireFigures>> = {
        ...raw,
        'one activity, one after another': single,
        'one activity, 100 at once': many,
      };
      return Object.entries(works).map(([work, figures]) => ({ server: title, work, ...figures }));
    } finally {
      await connection.close();
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const widths = [31, 32, 7, 11, 8, 8, 13];

function lineOf(cells: readonly string[]): string {
  return cells
    .map((cell, index) =>
      index < 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
    )
    .join('  ')
    .trimEnd();
}

function cellsOf({ server, work, n, perSecond, p50Ms, p99Ms, serverCpuMs }: WireRow): string[] {
  const figure = (value: number | undefined, digits: number): string =>
    value?.toFixed(digits) ?? '';
  return [
    work,
    server,
    String(n),
    figure(perSecond, 0),
    figure(p50Ms, 2),
    figure(p99Ms, 2),
    figure(serverCpuMs, 2),
  ];
}

let flags: PeerFlags;
try {
  flags = readPeerFlags(process.argv.slice(2), 2_000);
} catch (error) {
  console.error(`${messageOf(error)}\n\n${usage}`);
  process.exit(2);
}
if (flags.help) {
  console.log(usage);
  process.exit(0);
}
if (!flags.json) {
  console.log(
    `Node ${process.version}, ${cpus().length} CPUs, load ${(loadavg()[0] ?? 0).toFixed(1)}\n`,
  );
  const titles = ['work', 'server', 'n', 'workflows/s', 'p50 ms', 'p99 ms', 'server CPU ms'];
  console.log(lineOf(titles));
}
quietWorker();
for (const server of [everstepServer, temporalServer]) {
  if (flags.only?.test(server.title) === false) continue;
  try {
    for (const row of await measure(server, flags.n)) {
      console.log(flags.json ? JSON.stringify(row) : lineOf(cellsOf(row)));
    }
  } catch (error) {
    const problem = messageOf(error);
    const isSkipped = server === temporalServer && problem.startsWith('no program');
    if (!isSkipped) process.exitCode = 1;
    const line = `${isSkipped ? 'skipped' : 'failed'}: ${server.title}: ${problem}`;
    console.log(flags.json ? JSON.stringify({ server: server.title, skipped: problem }) : line);
  }
}
