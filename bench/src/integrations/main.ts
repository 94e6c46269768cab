/** `npm run bench:integrations -- isolation [seconds a phase]`, or `-- many [integrations] [tasks of each] [kind]`. */
import { cpus, loadavg } from 'node:os';
import { measureIsolation } from './isolation.ts';
import { manyKinds, measureMany } from './many.ts';

const [work, ...numbers] = process.argv.slice(2);

function whole(index: number, otherwise: number): number {
  const given = Number(numbers[index] ?? otherwise);
  if (Number.isInteger(given) && given > 0) return given;
  throw new Error(`${String(numbers[index])} is no whole number above 0`);
}

console.log(`${cpus().length} cores, load ${loadavg()[0]?.toFixed(1) ?? '?'}`);
if (work === 'isolation') {
  for (const row of await measureIsolation(whole(0, 10) * 1000)) console.log(JSON.stringify(row));
} else if (work === 'many') {
  const kind = manyKinds.find((one) => one === (numbers[2] ?? 'tasks'));
  if (!kind) throw new Error(`${String(numbers[2])} is none of ${manyKinds.join(', ')}`);
  console.log(JSON.stringify(await measureMany(kind, whole(0, 50), whole(1, 20))));
} else {
  console.error(
    'Usage: npm run bench:integrations -- isolation [seconds] | many [integrations] [tasks] [tasks | processes | official]',
  );
  process.exitCode = 2;
}
