/** Asks for the pictures and checks what became of them. Exit code 0: all is right. */
import { run } from './run.ts';
import { verdict } from './verdict.ts';

const outcome = await run();
for (const { prompt, status, imageUrl, error, task } of outcome.requests) {
  const took = (task.completedAt ?? NaN) - task.createdAt;
  console.log(`${prompt.padEnd(18)} ${status} in ${Math.round(took)} ms  ${imageUrl ?? error}`);
}
const { jobs, refusals, jobsAtKill } = outcome;
console.log(`worker killed once, with ${jobsAtKill} jobs at the provider`);
console.log(`provider: ${jobs.length} jobs accepted, ${refusals} × 429`);
const problems = verdict(outcome);
for (const problem of problems) console.error(`wrong: ${problem}`);
console.log(problems.length === 0 ? 'All is right.' : 'Something is wrong.');
process.exitCode = problems.length === 0 ? 0 : 1;
