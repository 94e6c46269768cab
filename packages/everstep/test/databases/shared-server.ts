/** One server of a kind for all test files of a run: started by the first that needs it, stopped with the run. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** The environment variable that names the folder of the run. */
export const sharedFolder = 'EVERSTEP_TEST_DATABASES';

/** Suites on databases take minutes: npm run test:databases, which CI runs too, asks for them. */
export const areDatabasesAsked = process.env['EVERSTEP_ALL_ON_DATABASES'] !== undefined;

/** A machine that has much else to do takes its time to make a database. */
export const startMsMax = 60_000;

interface Started {
  readonly url: string;
  readonly folder: string;
}

/** The URL of the run's server of that kind, which `start` starts where it does not run yet. */
export async function sharedServer(kind: string, start: () => Promise<Started>): Promise<string> {
  const folder = process.env[sharedFolder];
  if (folder === undefined) throw new TypeError(`${sharedFolder} is not set: no global setup ran.`);
  const note = noteOf(folder, kind);
  try {
    mkdirSync(join(folder, kind));
  } catch {
    for (let waited = 0; !existsSync(note); waited += 50) {
      if (waited > startMsMax) throw new TypeError(`The ${kind} of this run did not start.`);
      await setTimeout(50);
    }
    return startedIn(note).url;
  }
  const server = await start();
  writeFileSync(`${note}.new`, JSON.stringify({ url: server.url, folder: server.folder }));
  renameSync(`${note}.new`, note);
  return server.url;
}

/** Where the server of that kind is that a run has started in its folder; undefined: it has started none. */
export function sharedServerFolder(folder: string, kind: string): string | undefined {
  const note = noteOf(folder, kind);
  return existsSync(note) ? startedIn(note).folder : undefined;
}

function noteOf(folder: string, kind: string): string {
  return join(folder, `${kind}.json`);
}

function startedIn(note: string): Started {
  return JSON.parse(readFileSync(note, 'utf8')) as Started;
}
