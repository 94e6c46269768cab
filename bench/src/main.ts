/**
 * Measures Everstep and prints a row for each measurement. Exit code 0: every work was done right. 1: one was not,
 * and has no row. 2: wrong flags.
 */
import { cpus } from 'node:os';
import { readFlags, usage, type Flags } from './flags.ts';
import { measure } from './measure.ts';
import { isChosen, measurements, titleOf } from './measurement.ts';
import { jsonReporter, tableReporter } from './reporter.ts';

function flagsOrExit(): Flags {
  try {
    return readFlags(process.argv.slice(2));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(problem: string): never {
  console.error(`${problem}\n\n${usage}`);
  process.exit(2);
}

const flags = flagsOrExit();
if (flags.help) {
  console.log(usage);
  process.exit(0);
}
const chosen = measurements(flags.n).filter((measurement) => isChosen(measurement, flags));
if (chosen.length === 0) refuse('no work fits --only and --store');

// Ending by a signal would leave files behind.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const reporter = flags.json ? jsonReporter : tableReporter;
if (reporter.head !== '') {
  console.log(`Node ${process.version}, ${cpus().length} CPUs\n\n${reporter.head}`);
}
for (const measurement of chosen) {
  try {
    for (const row of await measure(measurement)) console.log(reporter.line(row));
  } catch (error) {
    process.exitCode = 1;
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.error(`${measurement.store} ${titleOf(measurement)}: ${why}`);
  }
}
