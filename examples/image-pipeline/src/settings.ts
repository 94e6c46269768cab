/**
 * What the processes of the demo share. It travels as environment variables, as it would in a deployment.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the pictures that are shipped with this example lie. */
export const imagesFolder = fileURLToPath(new URL('../images/', import.meta.url));

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: start the demo with "npm run demo"`);
  }
  return value;
}

export const providerUrl = (): string => setting('PROVIDER_URL');
export const seed = (): number => Number(setting('DEMO_SEED'));

/** The folders and files of one run of the demo, below `folder`. */
export function places(folder: string = setting('DEMO_FOLDER')) {
  return {
    store: `sqlite:${join(folder, 'everstep.db')}`,
    workerLedger: join(folder, 'worker-ledger.jsonl'),
    providerLedger: join(folder, 'provider-ledger.jsonl'),
    /** Files between two steps of a task. */
    scratch: join(folder, 'scratch'),
    /** What the tasks deliver: a folder with pictures and a manifest for each. */
    gallery: join(folder, 'gallery'),
  };
}
