/**
 * `npm run simulate -- [--seeds N] [--seed S] [--minutes M] [--jobs J] [--trace] [--strict] [--planted [name]]`: so
 * many worlds from that seed on, and how often each rule was at work; the trace of one; or how many seeds each planted
 * bug takes.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { nameOf } from '../core-driver.ts';
import { runJobs } from './jobs.ts';
import { find, plantedBugs } from './planted-bugs.ts';
import { hitsMin, ruleTable } from './rule-coverage.ts';
import type { FailedSeed, Tally } from './tally.ts';
import { runWorld } from './world.ts';

const { values, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '0' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const first = whole('seed', values.seed);
const seedsMax = whole('seeds', values.seeds);
const jobs = Math.max(1, whole('jobs', values.jobs));
/** 0 = until the seeds are done. */
const minutes = whole('minutes', values.minutes);

if (values.planted) await plant();
else if (values.trace) await trace();
else await simulate();

async function simulate(): Promise<void> {
  const began = process.hrtime.bigint();
  const tally = await runJobs({
    first,
    seeds: seedsMax,
    jobs,
    secondsMax: minutes > 0 ? 60 * minutes : Infinity,
    onTally: (all, { failed, seeds }) => {
      for (const one of failed) tell(one);
      const done = Math.floor(all.seeds / 1_000);
      if (done > Math.floor((all.seeds - seeds) / 1_000)) {
        console.log(`${all.seeds} seeds, ${all.failed.length} failed`);
      }
    },
  });
  const { seeds, failed, sums, faults, cpuMs, rules } = tally;
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(
    `\n${seeds} seeds from ${first}: ${failed.length} failed. ${seconds.toFixed(0)} s, ` +
      `${(seeds / seconds).toFixed(1)} seeds a second, ${(cpuMs / seeds).toFixed(1)} ms of CPU each, ${jobs} at a time.`,
  );
  console.log(
    `${(sums.virtualMs / 3_600_000).toFixed(1)} virtual hours, ${sums.runs} runs, ${sums.commits} commits, ` +
      `${sums.events} events, ${sums.acknowledged} acknowledged requests.`,
  );
  console.log(
    `faults: ${Object.entries(faults)
      .map(([kind, times]) => `${kind} ${times}`)
      .join(', ')}`,
  );
  const rare = showCoverage(rules);
  if (failed.length > 0) {
    console.log(`failed seeds: ${failed.map(({ seed }) => seed).join(' ')}`);
    console.log(`to see one: npm run simulate -- --seed ${failed[0]?.seed} --trace`);
  }
  process.exitCode = failed.length > 0 || (values.strict && rare > 0) ? 1 : 0;
}

async function trace(): Promise<void> {
  const { seed, violations, faults, archive } = await runWorld({
    seed: first,
    onTrace: (line) => console.log(line),
  });
  if (violations.length === 0) return;
  tell({ seed, violations, faults: [...faults.keys()] });
  for (const record of archive.runs.values()) {
    if (!violations.some(({ what }) => what.startsWith(record.name))) continue;
    console.log(`\n${record.name}: ${record.state?.status}, version ${record.version}`);
    for (const event of record.events) {
      console.log(`  ${String(event.eventId).padStart(4)} ${nameOf(event)} ${detail(event)}`);
    }
  }
  process.exitCode = 1;
}

/** The number of rules that were met too seldom. */
function showCoverage(rules: Tally['rules']): number {
  const table = ruleTable(rules);
  const rare = table.filter(({ hits }) => hits < hitsMin);
  console.log(`\nrules, and how often each was at work:`);
  for (let at = 0; at < table.length; at += 8) {
    console.log(
      table
        .slice(at, at + 8)
        .map(({ rule, hits }) => `${rule.padEnd(6)}${String(hits).padStart(9)}`)
        .join('  '),
    );
  }
  console.log(
    rare.length === 0
      ? `each at least ${hitsMin} times`
      : `less than ${hitsMin} times: ${rare.map(({ rule }) => rule).join(', ')}`,
  );
  return rare.length;
}

function tell({ seed, violations, faults }: FailedSeed): void {
  console.log(`\nseed ${seed} (${faults.join(', ')})`);
  for (const { invariant, what } of violations.slice(0, 4)) console.log(`  ${invariant}: ${what}`);
}

function detail(event: object): string {
  const { eventId, eventTime, eventType, ...rest } = JSON.parse(JSON.stringify(event)) as Record<
    string,
    unknown
  >;
  void [eventId, eventTime, eventType];
  return JSON.stringify(Object.values(rest)[0] ?? {}).slice(0, 300);
}

async function plant(): Promise<void> {
  const chosen = plantedBugs.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  let missed = 0;
  console.log('| planted bug | what is wrong | seeds | found by |\n| --- | --- | ---: | --- |');
  for (const bug of chosen) {
    const { seeds: took, invariant } = await find(bug, first, seedsMax);
    if (took === undefined) missed += 1;
    console.log(
      `| ${bug.name} | ${bug.what} | ${took ?? `not in ${seedsMax}`} | ${invariant === undefined ? '' : `invariant ${invariant}`} |`,
    );
  }
  console.log(`\n${chosen.length - missed} of ${chosen.length} found`);
  process.exitCode = missed === 0 ? 0 : 1;
}

function whole(name: string, value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return number;
  console.error(`--${name} is ${value}; expected a whole number`);
  return process.exit(2);
}
