/** Surveys the files of a folder, and one that is not there. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsyncTaskComponent } from 'everstep';
import { countFile, survey, type Survey } from './survey.ts';

export interface Outcome {
  readonly survey: Survey;
  /** Counted without any workflow. */
  readonly expected: Survey;
}

export const missing = 'no-such-file.txt';

export async function run(folder: string): Promise<Outcome> {
  const names = (await readdir(folder)).sort();
  const present = names.map((name) => join(folder, name));
  const component = new AsyncTaskComponent({ store: 'memory' });
  component.registerAll([survey, countFile]);
  await component.start();
  try {
    const files = [...present, missing];
    return {
      survey: await survey.execute({ files, atOnce: 3 }),
      expected: await counted(present),
    };
  } finally {
    await component.stop();
  }
}

async function counted(files: readonly string[]): Promise<Survey> {
  const counts: Record<string, number> = {};
  for (const file of files) {
    counts[file] = (await readFile(file, 'utf8')).trim().split(/\s+/).length;
  }
  const words = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { words, files: counts, failed: [missing] };
}
