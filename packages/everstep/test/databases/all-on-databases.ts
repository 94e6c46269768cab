/** The databases of a run that has everything on them, which is `npm run test:databases`. */
import { postgresMissing, sharedPostgres } from './shared-postgres.ts';

const databases = {
  postgres: { missing: postgresMissing, start: sharedPostgres },
} as const;

export type DatabaseKind = keyof typeof databases;

/** Whether tests that have a store to choose take each database, in the place of memory and SQLite. */
export const allOnDatabases = process.env['EVERSTEP_ALL_ON_DATABASES'] !== undefined;

export const databaseKinds = (Object.keys(databases) as DatabaseKind[]).filter(
  (kind) => databases[kind].missing === undefined,
);

let named = 0;

/** Each call gives tables of their own, which go with the run's server. */
export async function databaseUrl(kind: DatabaseKind): Promise<string> {
  named += 1;
  return `${await databases[kind].start()}?schema=chosen_${process.pid}_${named}`;
}
