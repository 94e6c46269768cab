/**
 * `npm run simulate -- [--seeds N] [--seed S] [--minutes M] [--trace] [--strict] [--planted [name]]`: so many worlds
 * from that seed on, and how often each rule was at work; the trace of one; or how many seeds each planted bug takes.
 */
import { parseArgs } from 'node:util';
import { nameOf } from '../core-driver.ts';
import { find, plantedBugs } from './planted-bugs.ts';
import { hitsMin, RuleCoverage } from './rule-coverage.ts';
import { runWorld } from './world.ts';
import type { WorldReport } from './world.ts';

const { values, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '0' },
    trace: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const first = whole('seed', values.seed);
const seedsMax = values.trace ? 1 : whole('seeds', values.seeds);
/** 0 = until the seeds are done. */
const minutes = whole('minutes', values.minutes);

if (values.planted) await plant();
else await simulate();

async function simulate(): Promise<void> {
  const coverage = new RuleCoverage();
  const sums = { virtualMs: 0, commits: 0, events: 0, runs: 0, acknowledged: 0 };
  const faults = new Map<string, number>();
  const failed: WorldReport[] = [];
  const began = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  let seeds = 0;
  for (let seed = first; seed < first + seedsMax; seed += 1) {
    const onTrace = values.trace ? (line: string) => console.log(line) : undefined;
    const report = await runWorld({ seed, coverage, onTrace });
    for (const sum of Object.keys(sums) as (keyof typeof sums)[]) sums[sum] += report[sum];
    for (const [kind, times] of report.faults) faults.set(kind, (faults.get(kind) ?? 0) + times);
    if (report.violations.length > 0) {
      failed.push(report);
      tell(report);
    }
    seeds += 1;
    if (seeds % 1_000 === 0) console.log(`${seeds} seeds, ${failed.length} failed`);
    if (minutes > 0 && secondsSince(began) >= 60 * minutes) break;
  }
  const seconds = secondsSince(began);
  const used = process.cpuUsage(cpu);
  const cpuSeconds = (used.user + used.system) / 1e6;
  console.log(
    `\n${seeds} seeds from ${first}: ${failed.length} failed. ${seconds.toFixed(0)} s, ` +
      `${(seeds / seconds).toFixed(1)} seeds a second, ${((1_000 * cpuSeconds) / seeds).toFixed(1)} ms of CPU each.`,
  );
  console.log(
    `${(sums.virtualMs / 3_600_000).toFixed(1)} virtual hours, ${sums.runs} runs, ${sums.commits} commits, ` +
      `${sums.events} events, ${sums.acknowledged} acknowledged requests.`,
  );
  console.log(`faults: ${[...faults].map(([kind, times]) => `${kind} ${times}`).join(', ')}`);
  const rare = showCoverage(coverage);
  if (failed.length > 0) {
    console.log(`failed seeds: ${failed.map(({ seed }) => seed).join(' ')}`);
    console.log(`to see one: npm run simulate -- --seed ${failed[0]?.seed} --trace`);
  }
  process.exitCode = failed.length > 0 || (values.strict && rare > 0) ? 1 : 0;
}

function secondsSince(began: bigint): number {
  return Number(process.hrtime.bigint() - began) / 1e9;
}

/** The number of rules that were met too seldom. */
function showCoverage(coverage: RuleCoverage): number {
  const table = coverage.table();
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

function tell({ seed, violations, archive, faults }: WorldReport): void {
  console.log(`\nseed ${seed} (${[...faults.keys()].join(', ')})`);
  for (const { invariant, what } of violations.slice(0, 4)) console.log(`  ${invariant}: ${what}`);
  if (!values.trace) return;
  for (const record of archive.runs.values()) {
    if (!violations.some(({ what }) => what.startsWith(record.name))) continue;
    console.log(`\n${record.name}: ${record.state?.status}, version ${record.version}`);
    for (const event of record.events) {
      console.log(`  ${String(event.eventId).padStart(4)} ${nameOf(event)} ${detail(event)}`);
    }
  }
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
