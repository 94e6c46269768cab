/** `npm run crash -- --rounds N [--seed S] [--failpoint name] [--shape name]`: N rounds of each cell. */
import { parseArgs } from 'node:util';
import { Chance } from './chance.ts';
import { Spares } from './crew.ts';
import { failpoints, type Failpoint } from './failpoints.ts';
import { add, killsOf, newTotals, runRound, table } from './matrix.ts';
import { shapes } from './round.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string' },
    failpoint: { type: 'string' },
    shape: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const chosen = failpoints.filter(
  (name) => values.failpoint === undefined || name === values.failpoint,
);
const chosenShapes = shapes.filter((name) => !values.shape || name.startsWith(values.shape));
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  refuse('--rounds and --seed want whole numbers, and --rounds at least 1');
}
if (chosen.length === 0) refuse(`--failpoint is one of ${failpoints.join(', ')}`);
if (chosenShapes.length === 0) refuse(`--shape is the beginning of one of: ${shapes.join(', ')}`);

console.log(`crash matrix: ${rounds} rounds a cell, seed ${seed}`);
const totals = newTotals(chosen);
const spares = new Spares();
const failed: string[] = [];
try {
  for (let round = 0; round < rounds; round += 1) {
    for (const cell of totals.cells) {
      if (!chosenShapes.includes(cell.shape)) continue;
      const { failpoint, shape } = cell;
      const own = seedOf(seed + round, failpoint, shape);
      const report = await runRound({ shape, kills: killsOf(failpoint), seed: own, spares });
      add(totals, cell, report);
      const wrong = report.violations.length;
      console.log(
        `${wrong === 0 ? 'ok  ' : 'FAIL'} ${failpoint}, ${shape}: ${report.killed} kills, ${report.tasks} tasks, ` +
          `${report.acknowledged} acknowledged, ${report.inFlight} repeated in flight, ${report.seconds.toFixed(1)} s`,
      );
      if (wrong === 0) continue;
      for (const violation of report.violations.slice(0, 20)) console.log(`     ${violation}`);
      if (wrong > 20) console.log(`     and ${wrong - 20} more`);
      console.log(`     kept: ${report.folder}`);
      failed.push(`--rounds 1 --seed ${seed + round} --failpoint ${failpoint} --shape '${shape}'`);
    }
  }
} finally {
  await spares.dismiss();
}
console.log(`\n${table(totals)}`);
for (const again of failed) console.log(`failed, to be tried again: npm run crash -- ${again}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Each cell of a round has chances of its own, the same whichever cells are run. */
function seedOf(base: number, failpoint: Failpoint, shape: (typeof shapes)[number]): number {
  const place = failpoints.indexOf(failpoint) * shapes.length + shapes.indexOf(shape);
  return new Chance(base * 1_000 + place).whole(0, 2 ** 31);
}

function refuse(problem: string): never {
  console.error(problem);
  process.exit(2);
}
