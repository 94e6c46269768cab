/** Runs the expenses and checks how each ended. Exit code 0: all is right. */
import { run } from './run.ts';
import { verdict } from './verdict.ts';

const outcome = await run();
for (const [id, ending] of Object.entries(outcome.endings)) {
  console.log(`${id.padEnd(10)} ${ending}`);
}
const problems = verdict(outcome);
for (const problem of problems) console.error(`wrong: ${problem}`);
console.log(problems.length === 0 ? 'All is right.' : 'Something is wrong.');
process.exitCode = problems.length === 0 ? 0 : 1;
