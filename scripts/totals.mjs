// Adds up the reports of vitest's JSON reporter given as arguments, one for each run, and prints
// `N passed, N failed`.
// A file that could not be loaded is a failure that no test counts, so it is counted here, and so is an
// error outside every test, which the report does not show: `--run-failed` says that a run ended badly.
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
const runFailed = process.argv.includes('--run-failed');
for (const path of process.argv.slice(2).filter((argument) => !argument.startsWith('--'))) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  failed += report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
}
if (runFailed && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
