/** Cleans up for a run of the tests that was killed. */
import { endRun } from './ended-run.ts';

await endRun(process.argv[2] as string);
