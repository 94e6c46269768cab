/** Tries the shapes of a deployment, or the one that is named, with a process for each member. Exit code 0: all is right. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processCrew } from './crew.ts';
import { apart, rolling, shared, together, type Outcome } from './shapes.ts';
import type { Crew } from './crew.ts';

const shapes: Readonly<Record<string, (crew: Crew) => Promise<Outcome>>> = {
  together: (crew) => together(crew, 20),
  apart: (crew) => apart(crew, 20),
  shared: (crew) => shared(crew, 200),
  rolling: (crew) => rolling(crew, 20),
};
const named = process.argv.slice(2);
for (const name of named.length > 0 ? named : Object.keys(shapes)) {
  const shape = shapes[name];
  if (shape === undefined) {
    console.error(`There is no ${name}; there are ${Object.keys(shapes).join(', ')}.`);
    process.exitCode = 2;
    break;
  }
  const folder = mkdtempSync(join(tmpdir(), 'everstep-deployment-'));
  const ledger = join(folder, 'ledger.jsonl');
  writeFileSync(ledger, '');
  const server = process.env['TEMPORAL_ADDRESS'];
  const home = server
    ? `temporal://${server}`
    : (process.env['STORE_URL'] ?? `sqlite:${join(folder, 'tasks.db')}`);
  const { figures, problems } = await shape(processCrew(home, ledger));
  rmSync(folder, { recursive: true, force: true });
  console.log(`${name}: ${figures}`);
  for (const problem of problems) console.error(`wrong: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
console.log((process.exitCode ?? 0) === 0 ? 'All is right.' : 'Something is wrong.');
