/** Generates the videos and checks what became of them. Exit code 0: all is right. */
import { run } from './run.ts';
import { verdict } from './verdict.ts';

const outcome = await run();
for (const [prompt, end] of Object.entries(outcome.videos))
  console.log(`${prompt.padEnd(6)} ${end}`);
for (const { id, prompt, state, reads } of outcome.jobs) {
  console.log(`${id}  ${prompt.padEnd(6)} ${state}, looked at ${reads} times`);
}
const problems = verdict(outcome);
for (const problem of problems) console.error(`wrong: ${problem}`);
console.log(problems.length === 0 ? 'All is right.' : 'Something is wrong.');
process.exitCode = problems.length === 0 ? 0 : 1;
