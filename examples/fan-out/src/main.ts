/** Surveys the source of this example, or the folder that is named. Exit code 0: the counts are right. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { run } from './run.ts';

const folder = process.argv[2] ?? fileURLToPath(new URL('.', import.meta.url));
const { survey, expected } = await run(folder);
for (const [file, words] of Object.entries(survey.files)) {
  console.log(`${String(words).padStart(6)} ${basename(file)}`);
}
for (const file of survey.failed) console.log(`     – ${file} could not be read`);
console.log(`${String(survey.words).padStart(6)} words`);
const right = isDeepStrictEqual(survey, expected);
console.log(right ? 'All is right.' : `Wrong; expected ${JSON.stringify(expected)}`);
process.exitCode = right ? 0 : 1;
