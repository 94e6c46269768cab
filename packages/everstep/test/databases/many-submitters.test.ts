import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MariaDbDatabase, mariaDbMissing } from './shared-mariadb.ts';
import { PostgresSchema, postgresMissing } from './shared-postgres.ts';

const program = fileURLToPath(new URL('./many-submitters.ts', import.meta.url));

// npm run test:databases has the numbers that the store of PostgreSQL is held to.
const processes = Number(process.env['EVERSTEP_SUBMITTERS'] ?? 3);
const ids = Number(process.env['EVERSTEP_SUBMITTED_IDS'] ?? 100);
/** Thousands take two minutes on MariaDB, in which whatever runs beside them runs out of time. */
const idsOnMariaDb = Number(process.env['EVERSTEP_SUBMITTED_IDS_ON_MARIADB'] ?? 100);

describe.skipIf(postgresMissing)(`on PostgreSQL ${postgresMissing ?? ''}`, () => {
  const schema = new PostgresSchema('submitters');

  itMakesEachRunOnce(
    ids,
    () => schema.url,
    async () => {
      const { rows } = await schema.query(
        `SELECT (SELECT count(*)::int FROM ${schema.name}.runs) AS runs,
           (SELECT count(DISTINCT workflow_id)::int FROM ${schema.name}.visibility WHERE workflow_id LIKE 'same-%') AS ids`,
      );
      return rows;
    },
  );
});

describe.skipIf(mariaDbMissing)(`on MariaDB ${mariaDbMissing ?? ''}`, () => {
  const database = new MariaDbDatabase('submitters');

  itMakesEachRunOnce(
    idsOnMariaDb,
    () => database.url,
    () =>
      database.query(
        `SELECT (SELECT count(*) FROM everstep_runs) AS runs,
           (SELECT count(DISTINCT workflow_id) FROM everstep_visibility WHERE workflow_id LIKE 'same-%') AS ids`,
      ),
  );
});

/** `counted`: a row with the numbers of runs and of workflow ids in the database. */
function itMakesEachRunOnce(ids: number, url: () => string, counted: () => Promise<unknown>): void {
  it(`${processes} processes that submit the same ${ids} ids at once make ${ids} runs`, async () => {
    const children = Array.from({ length: processes }, (_, seed) =>
      fork(program, [url(), String(ids), String(seed)], { execArgv: ['--import', 'tsx'] }),
    );
    const message = <T>(index: number) =>
      new Promise<T>((resolve, reject) => {
        children[index]?.once('message', (value) => resolve(value as T));
        children[index]?.once('exit', (code) => reject(new TypeError(`It ended with ${code}.`)));
      });
    await Promise.all(children.map((_, index) => message<'ready'>(index)));
    const answers = children.map((_, index) => message<[number, string][]>(index));
    const ends = children.map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of children) child.send('go');
    const runs = new Map<number, Set<string>>();
    for (const answer of await Promise.all(answers)) {
      for (const [n, runId] of answer) runs.set(n, (runs.get(n) ?? new Set()).add(runId));
    }
    await Promise.all(ends);
    expect(runs.size).toBe(ids);
    expect([...runs.values()].every((runIds) => runIds.size === 1)).toBe(true);
    expect(await counted()).toEqual([{ runs: ids, ids }]);
  }, 300_000);
}
