/** `npm run test:temporal`: the life of tasks and workflows, and random programs, on Temporal's own development server. */
import { spawn } from 'node:child_process';
import { startTemporal, temporalProgram } from '../conformance/scripts/temporal-server.ts';

const files = [
  'task-life',
  'workflow-life',
  'on-a-server',
  'listed-tasks',
  'sticky-runs',
  'random-programs',
].map((name) => `packages/everstep/test/tasks/${name}.test.ts`);

const program = await temporalProgram();
if (program === undefined) {
  console.log("skipped: neither Temporal's program nor Go to build it is on this machine");
} else {
  const { address, stop } = await startTemporal(program);
  // The files share one server and its namespace: one after the other.
  const flags = ['-t', 'a server', '--testTimeout', '60000', '--no-file-parallelism'];
  const vitest = spawn('npx', ['vitest', 'run', ...files, ...flags], {
    stdio: 'inherit',
    env: { ...process.env, EVERSTEP_TEST_SERVER: address },
  });
  process.exitCode = await new Promise<number>((resolve) => {
    vitest.once('exit', (code) => resolve(code ?? 1));
  });
  await stop();
}
