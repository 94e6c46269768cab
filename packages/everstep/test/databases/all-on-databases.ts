/** The databases of a run that has everything on them, which is `npm run test:databases`. */
import { postgresPrograms } from './postgres-server.ts';
import { sharedPostgres } from './shared-postgres.ts';
import { areDatabasesAsked } from './shared-server.ts';

const databases = {
  postgres: { isInstalled: postgresPrograms() !== undefined, start: sharedPostgres },
} as const;

export type DatabaseKind = keyof typeof databases;

/** Whether tests that have a store to choose take each database, in the place of memory and SQLite. */
export const allOnDatabases = areDatabasesAsked;

export const databaseKinds = (Object.keys(databases) as DatabaseKind[]).filter(
  (kind) => databases[kind].isInstalled,
);

let named = 0;

/** Each call gives tables of their own, which go with the run's server. */
export async function databaseUrl(kind: DatabaseKind): Promise<string> {
  named += 1;
  return `${await databases[kind].start()}?schema=chosen_${process.pid}_${named}`;
}
