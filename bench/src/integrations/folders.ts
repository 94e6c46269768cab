/** Writes folders of integrations, and removes them. They lie where they find the package. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));

export interface Folders {
  readonly path: string;
  remove(): void;
}

/** By integration, the text of its index. */
export function writeFolders(
  indexes: Readonly<Record<string, string>>,
  index = 'index.mjs',
): Folders {
  mkdirSync(cache, { recursive: true });
  const path = mkdtempSync(join(cache, 'integrations-'));
  for (const [name, text] of Object.entries(indexes)) {
    const file = join(path, name, index);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** An index with tasks of one step, `<name>-0` and so on, whose code is this. */
export function indexOf(name: string, tasks: number, code: string): string {
  return `import { AsyncTask } from 'everstep';
    const task = async (n) => { ${code} };
    export const createAsyncTasks = () => Array.from({ length: ${tasks} }, (_, index) =>
      new AsyncTask({ name: \`${name}-\${index}\`, task }));`;
}

/** An index of official workflows, `workflow0` and so on. */
export function workflowsOf(workflows: number): string {
  const one = (index: number): string => `export const workflow${index} = async (n) => n;\n`;
  return Array.from({ length: workflows }, (_, index) => one(index)).join('');
}
