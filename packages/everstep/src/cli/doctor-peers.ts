/** Packages that some features want, as the project has them. */
import { join } from 'node:path';
import { packageVersionFrom } from '../integrations/installed-package.ts';
import type { Check } from './doctor-check.ts';

/** What runs workflows that are written for the official SDK. */
const officialWorker = ['@temporalio/worker', '@temporalio/workflow', '@temporalio/activity'];

export function peerChecks(folder: string): Check[] {
  const own = packageVersionFrom('@temporalio/client', import.meta.url);
  const found = new Map(
    officialWorker.map((name) => [name, packageVersionFrom(name, join(folder, 'package.json'))]),
  );
  const missing = officialWorker.filter((name) => found.get(name) === undefined);
  const name = 'official worker';
  if (missing.length === officialWorker.length) {
    return [
      {
        name,
        state: 'ok',
        message: `${officialWorker.join(', ')} are not installed; only workflows of the official SDK need them`,
      },
    ];
  }
  const shown = officialWorker
    .filter((one) => !missing.includes(one))
    .map((one) => `${one} ${found.get(one)}`)
    .join(', ');
  const line = own?.split('.').slice(0, 2).join('.') ?? '';
  const others = officialWorker.filter((one) => found.get(one)?.startsWith(`${line}.`) === false);
  if (missing.length === 0 && others.length === 0) return [{ name, state: 'ok', message: shown }];
  const wanted = [...missing, ...others].map((one) => `${one}@~${line}`).join(' ');
  return [
    {
      name,
      state: 'warn',
      message: `${shown}; ${missing.length > 0 ? `${missing.join(', ')} not installed` : `Everstep is made for ${line}`}`,
      fix: `npm install ${wanted}`,
    },
  ];
}
