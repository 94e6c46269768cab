/**
 * `npm run crash -- --rounds N [--store name] [--kills K] [--jobs J] [--seed S] [--failpoint name] [--shape name]`: N
 * rounds of each cell, with K kills each, J rounds side by side.
 *
 * `npm run crash -- --wire --minutes M [--seed S] [--width W]`: the official worker and our server, killed for M minutes.
 */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Chance } from '../chance.ts';
import { quietWorkers } from '../conformance/gateway-host.ts';
import { Spares } from './crew.ts';
import { failpoints, type Failpoint } from './failpoints.ts';
import type { Ground } from './ground.ts';
import { groundNames, newGround } from './grounds.ts';
import { add, killsOf, newTotals, runRound, table, type Cell, type RoundReport } from './matrix.ts';
import { isPlantedBug, plantedBugs, plantedOn, type PlantedBug } from './planted.ts';
import { shapes } from './round.ts';
import { WireRound } from './wire-round.ts';

const plantedRoundsMax = 5;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    store: { type: 'string', default: 'sqlite' },
    kills: { type: 'string', default: '3' },
    planted: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    seed: { type: 'string' },
    failpoint: { type: 'string' },
    shape: { type: 'string' },
    wire: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '1' },
    width: { type: 'string', default: '10' },
  },
});
const rounds = Number(values.rounds);
const kills = Number(values.kills);
const jobs = Number(values.jobs);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const store =
  groundNames.find((name) => name === values.store) ??
  refuse(`--store is one of ${groundNames.join(', ')}`);
const { failpoints: known } = newGround(store);
const chosen = known.filter((name) => !values.failpoint || name.startsWith(values.failpoint));
const chosenShapes = shapes.filter((name) => !values.shape || name.startsWith(values.shape));
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  refuse('--rounds and --seed want whole numbers, and --rounds at least 1');
}
if (!Number.isInteger(kills) || kills < 1) refuse('--kills wants a whole number, at least 1');
if (!Number.isInteger(jobs) || jobs < 1) refuse('--jobs wants a whole number, at least 1');
if (chosen.length === 0) refuse(`--failpoint is the beginning of one of: ${known.join(', ')}`);
if (chosenShapes.length === 0) refuse(`--shape is the beginning of one of: ${shapes.join(', ')}`);

if (values.wire) process.exit(await killOverTheWire(Number(values.minutes), Number(values.width)));
if (values.planted !== undefined) process.exit(await findPlanted(values.planted));
console.log(
  `crash matrix on ${store}: ${rounds} rounds a cell, ${kills} kills a round, seed ${seed}`,
);
const totals = newTotals(chosen);
const failed: string[] = [];
const cells = totals.cells.filter(({ shape }) => chosenShapes.includes(shape));
const work = Array.from({ length: rounds }, (_, round) =>
  cells.map((cell) => ({ cell, round })),
).flat();
let stopped = false;
// What has been found until then is still told.
process.once('SIGINT', () => (stopped = true));
await Promise.all(Array.from({ length: jobs }, workOff));
console.log(`\n${table(totals)}`);
for (const again of failed) console.log(`failed, to be tried again: npm run crash -- ${again}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function workOff(): Promise<void> {
  const spares = new Spares(store);
  const ground = newGround(store);
  try {
    for (let next = work.shift(); next && !stopped; next = work.shift()) {
      const { cell, round } = next;
      const { failpoint, shape } = cell;
      const own = seedOf(seed + round, failpoint, shape);
      const planned = killsOf(failpoint, kills);
      tell(
        await runRound({ shape, kills: planned, seed: own, ground, spares }),
        cell,
        seed + round,
      );
    }
  } finally {
    await spares.dismiss();
    await ground.close();
  }
}

/** One long round over the wire; the exit code. */
async function killOverTheWire(minutes: number, width: number): Promise<number> {
  if (!(minutes > 0)) return refuse('--minutes wants a number above 0');
  if (!Number.isInteger(width) || width < 1) return refuse('--width wants a whole number above 0');
  quietWorkers();
  console.log(`over the wire: ${minutes} minutes, ${width} journeys side by side, seed ${seed}`);
  const request = { seed, ms: minutes * 60_000, killsLeast: 1, width };
  const report = await new WireRound(request).run();
  const { server, worker } = report.kills;
  console.log(
    `${report.problems.length === 0 ? 'ok  ' : 'FAIL'} ${report.journeys} journeys, ${report.runs} runs, ` +
      `${report.events} events; ${server} kills of the server, ${worker} of the worker; ` +
      `${report.attempts} attempts of activities; ${report.seconds.toFixed(0)} s`,
  );
  for (const problem of report.problems.slice(0, 20)) console.log(`     ${problem}`);
  if (report.problems.length === 0) return 0;
  console.log(`     kept: ${report.folder}`);
  return 1;
}

/** Each bug in rounds of its cell until it is found; the exit code. */
async function findPlanted(which: string): Promise<number> {
  const names = which === 'all' ? plantedOn(store) : [which];
  const spares = new Spares(store);
  const ground = newGround(store);
  let missed = 0;
  try {
    for (const name of names) {
      if (!isPlantedBug(name)) {
        return refuse(`--planted is all or one of ${Object.keys(plantedBugs).join(', ')}`);
      }
      const finding = await found(name, ground, spares);
      if (finding === undefined) missed += 1;
      console.log(finding ?? `MISSED ${name} in ${plantedRoundsMax} rounds`);
    }
  } finally {
    await spares.dismiss();
    await ground.close();
  }
  return missed === 0 ? 0 : 1;
}

async function found(
  planted: PlantedBug,
  ground: Ground,
  spares: Spares,
): Promise<string | undefined> {
  const { failpoint, shape } = plantedBugs[planted];
  let killed = 0;
  for (let round = 1; round <= plantedRoundsMax; round += 1) {
    const own = seedOf(seed + round, failpoint, shape);
    const planned = killsOf(failpoint, kills);
    const told = await runRound({ shape, kills: planned, seed: own, ground, spares, planted }).then(
      (report) => {
        killed += report.killed;
        rmSync(report.folder, { recursive: true, force: true });
        // A trap that nobody walked into shows nothing.
        const told = report.violations.filter((said) => !said.startsWith('not reached'));
        return told.toSorted((a, b) => Number(isPlain(b)) - Number(isPlain(a)));
      },
      // The file is past reading.
      (error: unknown) => [String(error)],
    );
    if (told.length > 0) {
      return `found ${planted} in round ${round}, ${killed} kills (${failpoint}, ${shape}): ${told[0]}`;
    }
  }
  return undefined;
}

function isPlain(violation: string): boolean {
  return /^(lost|duplicated|repeated|integrity):/.test(violation);
}

function tell(report: RoundReport, cell: Cell, base: number): void {
  const { failpoint, shape } = cell;
  add(totals, cell, report);
  const wrong = report.violations.length;
  console.log(
    `${wrong === 0 ? 'ok  ' : 'FAIL'} ${failpoint}, ${shape}: ${report.killed} kills, ${report.tasks} tasks, ` +
      `${report.acknowledged} acknowledged, ${report.inFlight} repeated in flight, ${report.seconds.toFixed(1)} s; ` +
      `${totals.kills} kills so far`,
  );
  if (wrong === 0) return;
  for (const violation of report.violations.slice(0, 20)) console.log(`     ${violation}`);
  if (wrong > 20) console.log(`     and ${wrong - 20} more`);
  console.log(`     kept: ${report.folder}`);
  failed.push(
    `--store ${store} --rounds 1 --kills ${kills} --seed ${base} --failpoint ${failpoint} --shape '${shape}'`,
  );
}

/** Each cell of a round has chances of its own, the same whichever cells are run. */
function seedOf(base: number, failpoint: Failpoint, shape: (typeof shapes)[number]): number {
  const place = failpoints.indexOf(failpoint) * shapes.length + shapes.indexOf(shape);
  return new Chance(base * 1_000 + place).whole(0, 2 ** 31);
}

function refuse(problem: string): never {
  console.error(problem);
  process.exit(2);
}
