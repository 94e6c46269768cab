/** The .sql files of a store's form, numbered without a gap. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** In the order of their numbers. `folder` ends with a slash. */
export function migrationsIn(folder: URL): readonly Migration[] {
  const path = fileURLToPath(folder);
  return readdirSync(path)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({
      version: Number.parseInt(name, 10),
      name,
      sql: readFileSync(`${path}${name}`, 'utf8'),
    }));
}
