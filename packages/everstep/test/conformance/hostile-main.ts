/** `npm run hostile -- [--calls N] [--polls N] [--seed S]`: calls as nobody should send them, by the ten thousand. */
import { parseArgs } from 'node:util';
import { hostileRound } from './hostile-round.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '20000' },
    polls: { type: 'string', default: '10000' },
    seed: { type: 'string' },
  },
});
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const [calls, polls] = [Number(values.calls), Number(values.polls)];
for (const [name, number] of Object.entries({ seed, calls, polls })) {
  if (Number.isInteger(number) && number >= 0) continue;
  console.error(`--${name} wants a whole number`);
  process.exit(2);
}
console.log(`hostile: ${calls} calls, ${polls} idle polls, seed ${seed}`);
const report = await hostileRound({ seed, calls, polls });
const { problems, ...figures } = report;
console.log(figures);
for (const problem of problems.slice(0, 30)) console.log(`! ${problem}`);
const growth = report.rssMb.after - report.rssMb.before;
const good = problems.length === 0 && report.late === 0 && growth < 300;
console.log(
  good ? 'ok' : `FAIL: ${problems.length} problems, ${report.late} late, ${growth} MB more`,
);
process.exitCode = good ? 0 : 1;
