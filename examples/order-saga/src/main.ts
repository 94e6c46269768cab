/** Runs the orders and checks what the shop is left with. Exit code 0: all is right. */
import { verdict } from './verdict.ts';
import { run } from './run.ts';

const { outcomes, shop } = await run();
for (const [id, outcome] of Object.entries(outcomes)) console.log(`${id.padEnd(8)} ${outcome}`);
const problems = verdict({ outcomes, shop });
for (const problem of problems) console.error(`wrong: ${problem}`);
console.log(problems.length === 0 ? 'All is right.' : 'Something is wrong.');
process.exitCode = problems.length === 0 ? 0 : 1;
