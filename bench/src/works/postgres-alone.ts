/**
 * PostgreSQL itself, with nothing of Everstep's on it but the driver: the yardstick for the other rows. A unit is that
 * of driver-alone.ts; a commit is one statement that is prepared once, and one round trip.
 */
import { expectEqual } from '../expectation.ts';
import { postgresClient, type Client } from '../postgres.ts';
import { lapOf } from '../stopwatch.ts';
import { unitFigures } from './unit-figures.ts';
import { warmUpOf, type Work } from './work.ts';

/** Of each connection. */
const runs = 1_000;
const eventsOfUnit = 3;
const unitsOfCommit = 50;
/** As many as Everstep commits on at once. */
const connections = 4;
const bytes = Buffer.alloc(200, 7);

const schema = `
  CREATE TABLE events (run integer, id integer, bytes bytea NOT NULL, PRIMARY KEY (run, id));
  CREATE TABLE runs (run integer PRIMARY KEY, version integer NOT NULL, state bytea NOT NULL) WITH (fillfactor = 60);
  CREATE TABLE tasks (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, run integer NOT NULL, queue text NOT NULL);
  CREATE INDEX tasks_by_queue ON tasks (queue, id);`;

/** Runs, their versions, ids of events by run, tasks that are used up; and all bytes as one value, as slices of 200. */
const unit = `
  WITH written AS (
    UPDATE runs r SET version = i.version + 1, state = substring($5::bytea FROM 1 FOR 200)
    FROM unnest($1::integer[], $2::integer[]) AS i (run, version)
    WHERE r.run = i.run AND r.version = i.version
  ), events AS (
    INSERT INTO events SELECT i.run, i.id, substring($5::bytea FROM (200 * i.place - 199)::integer FOR 200)
    FROM unnest($3::integer[], $4::integer[]) WITH ORDINALITY AS i (run, id, place)
  ), used AS (
    DELETE FROM tasks WHERE id = ANY ($6::bigint[])
  )
  INSERT INTO tasks (run, queue) SELECT run, 'queue' FROM unnest($1::integer[]) AS i (run) RETURNING id`;

export const postgresAlone: Work = async ({ stage, storeUrl, n }) => {
  const clients: Client[] = [];
  for (let made = 0; made < connections; made += 1) clients.push(await postgresClient(storeUrl));
  const [first] = clients;
  if (first === undefined) throw new Error('no connection was made');
  await first.query({ text: schema });
  const writers = await Promise.all(clients.map((client, index) => writerOn(client, index)));
  const shared = async (units: number): Promise<void> => {
    await Promise.all(writers.map((write) => write(units / connections, unitsOfCommit)));
  };
  const share = unitsOfCommit * connections;
  const many = Math.ceil(n / share) * share;
  const warmUp = Math.ceil(warmUpOf(many) / share) * share;
  await shared(warmUp);
  const together = await lapOf(stage, () => shared(many));
  const few = Math.ceil(n / 10);
  const latencies: number[] = [];
  const single = await lapOf(stage, async () => writers[0]?.(few, 1, latencies));
  const { rows } = await first.query({ text: 'SELECT count(*)::integer AS events FROM events' });
  const written = warmUp + many + few;
  expectEqual(rows[0]?.['events'], written * eventsOfUnit, 'the number of events');
  await Promise.all(clients.map((client) => client.end()));
  return [
    unitFigures(`${unitsOfCommit} units a commit`, many, together),
    unitFigures('one unit a commit', few, single, latencies),
  ];
};

type Write = (units: number, aCommit: number, latencies?: number[]) => Promise<void>;

/** Writes units of runs that no other connection touches. */
async function writerOn(client: Client, index: number): Promise<Write> {
  const from = index * runs;
  await client.query({
    text: 'INSERT INTO runs SELECT run, 0, $3::bytea FROM generate_series($1::integer, $2::integer) AS s (run)',
    values: [from, from + runs - 1, bytes],
  });
  const versions = Array.from({ length: runs }, () => 0);
  const tasks: unknown[] = [];
  let next = 0;
  return async (units, aCommit, latencies) => {
    for (let left = units; left > 0; left -= aCommit) {
      const places = Array.from({ length: aCommit }, (_item, place) => (next + place) % runs);
      next += aCommit;
      const events = places.flatMap((place) =>
        Array.from({ length: eventsOfUnit }, (_item, event) => ({
          run: from + place,
          id: (versions[place] ?? 0) * eventsOfUnit + event,
        })),
      );
      const before = performance.now();
      const { rows } = await client.query({
        name: 'unit',
        text: unit,
        values: [
          places.map((place) => from + place),
          places.map((place) => versions[place]),
          events.map(({ run }) => run),
          events.map(({ id }) => id),
          Buffer.concat(events.map(() => bytes)),
          places.map((place) => tasks[place]).filter((id) => id !== undefined),
        ],
      });
      latencies?.push(performance.now() - before);
      for (const [at, place] of places.entries()) {
        versions[place] = (versions[place] ?? 0) + 1;
        tasks[place] = rows[at]?.['id'];
      }
    }
  };
}
