/** Which version of a package is installed. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The version that a module there would get; undefined: none. Its manifest may not be exported, so it is looked for. */
export function packageVersionFrom(name: string, from: string): string | undefined {
  try {
    for (const folder of createRequire(from).resolve.paths(name) ?? []) {
      const text = textOf(join(folder, name, 'package.json'));
      if (text !== undefined) return (JSON.parse(text) as { readonly version: string }).version;
    }
  } catch {
    // A manifest that is none.
  }
  return undefined;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
