/** Runs both domains and checks what they did. Exit code 0: all is right. */
import { run } from './run.ts';
import { verdict } from './verdict.ts';

const outcome = await run();
for (const [who, answer] of Object.entries(outcome.answers))
  console.log(`${who.padEnd(6)} ${answer}`);
for (const line of outcome.book) console.log(`book   ${line}`);
const problems = verdict(outcome);
for (const problem of problems) console.error(`wrong: ${problem}`);
console.log(problems.length === 0 ? 'All is right.' : 'Something is wrong.');
process.exitCode = problems.length === 0 ? 0 : 1;
