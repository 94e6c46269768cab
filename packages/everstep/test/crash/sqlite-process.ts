/**
 * A process of its own that works on an SQLite file, for tests that kill it or set it against another one.
 * Arguments: what to do, the database, and what that deed needs. It reports by lines on stdout.
 */
import { appendFileSync, fsyncSync, openSync, writeSync } from 'node:fs';
import {
  keyOf,
  namespaceId,
  newRun,
  nextOf,
  groupOf,
} from '../../src/store/store-fixture.contract.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';

const [, , deed, path = '', ...rest] = process.argv;
const store = new SqliteStore({ path });

/** Writes for ever, and journals what was acknowledged: `<workflow id> <version>`, on the disk before the next. */
async function writeForEver(journalPath: string, prefix: string): Promise<void> {
  const journal = openSync(journalPath, 'a');
  const live: { id: string; ref: number; version: number }[] = [];
  for (let round = 0; ; round += 1) {
    const batch = Array.from({ length: 1 + (round % 20) }, (_, i) => {
      const known = live[(round * 7 + i) % 50];
      return known ?? { id: `${prefix}-${live.length + i}`, ref: 0, version: 0 };
    });
    const groups = [...new Set(batch)].map((run) => {
      const history = {
        firstEventId: run.version + 1,
        nextEventId: run.version + 2,
        bytes: new Uint8Array(600).fill(run.version),
      };
      const key = keyOf(run.id);
      return {
        run,
        group: groupOf(
          run.ref === 0 ? newRun(key, { history }) : nextOf(key, run.ref, run.version, { history }),
        ),
      };
    });
    const results = await store.commit(groups.map(({ group }) => group));
    let lines = '';
    groups.forEach(({ run }, i) => {
      const result = results[i];
      if (result?.outcome !== 'committed') return;
      if (run.ref === 0) live.push(run);
      run.ref = result.refs[0] ?? 0;
      run.version += 1;
      lines += `${run.id} ${run.version}\n`;
    });
    writeSync(journal, lines);
    fsyncSync(journal);
    if (round === 0) report('writing');
  }
}

/** Adds to one run, again and again, until it has done so that many times. */
async function increment(times: number): Promise<void> {
  let conflicts = 0;
  for (let done = 0; done < times;) {
    const run = await store.runs.load({ key: keyOf('shared') });
    if (run === undefined) continue;
    const [result] = await store.commit([groupOf(nextOf(run.key, run.ref, run.version))]);
    if (result?.outcome === 'committed') done += 1;
    else conflicts += 1;
  }
  report(`conflicts ${conflicts}`);
}

async function claimAll(processId: string): Promise<void> {
  await store.processes.announce({
    process: {
      processId,
      pid: process.pid,
      hostId: 'host',
      startedAt: 1,
      heartbeatAt: 1,
      queues: [],
    },
  });
  for (;;) {
    const rows = await store.tasks.claim({
      namespaceId,
      kind: 'workflow',
      taskQueue: 'orders',
      processId,
      limit: 3,
      // The others may be announced only later.
      evenAlone: true,
    });
    if (rows.length === 0) return;
    report(rows.map((row) => row.stamp).join(' '));
  }
}

/** Says when it was rung, and rings back. */
async function echo(): Promise<void> {
  const heard = new Promise<void>((resolve) => {
    store.hints.listen(resolve);
  });
  // A listener does not keep a process alive.
  const alive = setInterval(() => undefined, 1_000);
  report('listening');
  await heard;
  clearInterval(alive);
  await store.commit([groupOf(newRun(keyOf('echo')))]);
  store.hints.ring();
  report('heard');
}

function report(line: string): void {
  appendFileSync(1, `${line}\n`);
}

await store.open();
if (deed === 'write') await writeForEver(rest[0] ?? '', rest[1] ?? '');
if (deed === 'increment') await increment(Number(rest[0]));
if (deed === 'claim') await claimAll(rest[0] ?? '');
if (deed === 'echo') await echo();
await store.close();
