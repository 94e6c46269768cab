/** Pulls the rows of an office over HTTP, with faults and a change of process. Exit code 0: all is right. */
import { run } from './run.ts';
import { verdict } from './verdict.ts';

const rows = Number(process.argv[2] ?? 100);
const outcome = await run(rows);
const { counts, reports } = outcome;
console.log(
  `the office was asked for rows ${counts.fetches} times and told of ${counts.reports} ends; it refused ${counts.refused} requests, left ${counts.hung} unanswered and broke off ${counts.dropped}`,
);
for (const [table, all] of Object.entries(reports)) {
  const twice = all.filter((own) => own.length > 1).length;
  console.log(`${table.padEnd(8)} ${all.length} rows, ${twice} of them reported more than once`);
}
const problems = verdict(outcome, rows);
for (const problem of problems) console.error(`wrong: ${problem}`);
console.log(problems.length === 0 ? 'All is right.' : 'Something is wrong.');
process.exitCode = problems.length === 0 ? 0 : 1;
