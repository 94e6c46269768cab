import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** The files below `folder` that `wanted` accepts, as sorted paths relative to it, always with `/`. */
export function sourceFiles(folder, wanted = (path) => path.endsWith('.ts')) {
  const skipped = new Set(['node_modules', 'dist', 'coverage', '.git', '.everstep']);
  /** @type {string[]} */
  const found = [];
  const walk = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name)) walk(path);
      } else if (entry.isFile()) {
        const name = relative(folder, path).split(sep).join('/');
        if (wanted(name)) found.push(name);
      }
    }
  };
  walk(folder);
  return found.sort();
}
