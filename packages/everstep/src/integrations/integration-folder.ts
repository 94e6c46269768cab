/**
 * What a folder of integrations holds, by looking and without loading anything: whoever runs each integration in a
 * process of its own must not load its code.
 */
import { readdirSync, readFileSync, realpathSync, statSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EverstepError } from '../service/error-codes.ts';
import { shown } from '../tasks/duration.ts';
import { messageOf } from './load-module.ts';
import { fittingPattern } from './name-pattern.ts';

/** A folder that may be an integration. */
export interface IntegrationFolder {
  readonly name: string;
  /** Absolute; of a link, the link. */
  readonly path: string;
  readonly indexPath?: string;
  readonly workflowsPath?: string;
  readonly activitiesPath?: string;
}

export interface Skipped {
  readonly name: string;
  readonly path: string;
  readonly reason: string;
}

export interface DiscoveryFailure {
  readonly name: string;
  /** The file that is to be corrected, or the folder. */
  readonly path: string;
  readonly error: EverstepError;
}

export interface IntegrationFolders {
  readonly folders: readonly IntegrationFolder[];
  readonly skipped: readonly Skipped[];
  readonly failures: readonly DiscoveryFailure[];
}

/** Of an index, in the order of preference. */
const endings = ['.ts', '.js', '.mjs'] as const;
const anIndex = 'index.ts, index.js or index.mjs';

/**
 * The folders in `directory`, by name.
 *
 * @throws EverstepError INTEGRATION_DIRECTORY when it cannot be read.
 */
export function findIntegrationFolders(
  directory: string | URL,
  blacklist: readonly string[],
): IntegrationFolders {
  const root = checkedDirectory(directory);
  const folders: IntegrationFolder[] = [];
  const skipped: Skipped[] = [];
  const failures: DiscoveryFailure[] = [];
  /** By real path: a link may lead to a folder that was seen. */
  const seen = new Map<string, string>([[realpathSync(root), root]]);
  for (const name of namesIn(root)) {
    const path = join(root, name);
    try {
      const found = folderOf(name, path, blacklist, seen);
      if (typeof found === 'string') skipped.push({ name, path, reason: found });
      else folders.push(found);
    } catch (error) {
      failures.push({ name, path, error: asUnreadable(name, path, error) });
    }
  }
  return { folders, skipped, failures };
}

/** `<path>/index.ts` and its kind, where there is one that is a file. */
export function indexIn(path: string): string | undefined {
  return endings.map((ending) => join(path, `index${ending}`)).find((file) => isFile(file));
}

/** The module that a path means: a file, with or without its ending, or a folder's index. */
export function moduleAt(path: string): string | undefined {
  if (isDirectory(path)) {
    const index = indexIn(path);
    if (index !== undefined) return index;
  }
  return [path, ...endings.map((ending) => `${path}${ending}`)].find((file) => isFile(file));
}

function checkedDirectory(directory: unknown): string {
  if (directory instanceof URL && directory.protocol === 'file:')
    return existing(fileURLToPath(directory));
  if (typeof directory === 'string' && directory !== '' && !directory.includes('\0')) {
    return existing(resolve(directory));
  }
  throw new EverstepError(
    'INTEGRATION_DIRECTORY',
    `The folder of integrations is ${shown(directory)}; expected its path as a string, or a file: URL.`,
  );
}

function existing(path: string): string {
  const stats = statOf(path);
  if (stats?.isDirectory() === true) return path;
  throw new EverstepError(
    'INTEGRATION_DIRECTORY',
    stats === undefined
      ? `There is no folder ${path}; give the folder that holds one folder for each integration.`
      : `${path} is no folder; give the folder that holds one folder for each integration.`,
  );
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root).sort();
  } catch (cause) {
    throw new EverstepError(
      'INTEGRATION_DIRECTORY',
      `${root} cannot be read: ${messageOf(cause)}. Give this process the right to list it.`,
      { cause },
    );
  }
}

/** The folder, or why it is none. */
function folderOf(
  name: string,
  path: string,
  blacklist: readonly string[],
  seen: Map<string, string>,
): IntegrationFolder | string {
  if (name.startsWith('.')) return 'its name starts with a dot';
  if (name === 'node_modules') return 'it holds packages';
  const pattern = fittingPattern(name, blacklist);
  if (pattern !== undefined) return `the blacklist has ${JSON.stringify(pattern)}`;
  const stats = statSync(path);
  if (!stats.isDirectory()) return 'it is no folder';
  const real = realpathSync(path);
  const first = seen.get(real);
  if (first !== undefined) return `it is a link to ${first}, which is read already`;
  seen.set(real, path);
  // Throws where the folder may not be read.
  readdirSync(path);
  const workflows = partOf(name, path, 'workflows');
  const activitiesPath = partOf(name, path, 'activities');
  const indexPath = indexIn(path);
  if (workflows === undefined && indexPath === undefined) {
    return isDirectory(join(path, 'workflows'))
      ? `its folder workflows has no ${anIndex}`
      : `it has neither workflows/ with an ${anIndex} nor an index of its own`;
  }
  return {
    name,
    path,
    ...(indexPath !== undefined && { indexPath }),
    ...(workflows !== undefined && { workflowsPath: workflows }),
    ...(activitiesPath !== undefined && { activitiesPath }),
  };
}

/** The index of `workflows` or `activities`, which must export something. */
function partOf(name: string, path: string, part: string): string | undefined {
  const folder = join(path, part);
  const stats = statOf(folder);
  if (stats === undefined) return undefined;
  if (!stats.isDirectory()) {
    throw invalid(name, folder, `is a file; expected a folder with ${anIndex}`);
  }
  const index = indexIn(folder);
  if (index !== undefined && !exportsSomething(readFileSync(index, 'utf8'))) {
    throw invalid(name, index, `exports nothing; expected ${part} as exported functions`);
  }
  return index;
}

/** By its text: workflows are for the worker's bundle, and nothing else should run them. */
function exportsSomething(source: string): boolean {
  const code = source.replace(stringOrComment, ' ').replace(/\bexport\s*\{\s*\}/g, '');
  return /\bexports?\b/.test(code);
}

/** Strings are matched for what may look like a comment in them, such as the pattern of a path. */
const stringOrComment =
  /(["'])(?:\\.|(?!\1)[^\\\n])*\1|`(?:\\[\s\S]|[^\\`])*`|\/\*[\s\S]*?\*\/|\/\/.*$/gm;

function asUnreadable(name: string, path: string, error: unknown): EverstepError {
  if (error instanceof EverstepError) return error;
  return new EverstepError(
    'INTEGRATION_INVALID',
    `Integration "${name}": ${path} cannot be read: ${messageOf(error)}.`,
    { cause: error },
  );
}

function invalid(name: string, path: string, problem: string): EverstepError {
  return new EverstepError('INTEGRATION_INVALID', `Integration "${name}": ${path} ${problem}.`);
}

function isFile(path: string): boolean {
  return statOf(path)?.isFile() === true;
}

function isDirectory(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

/** Undefined where there is nothing. @throws what else keeps it from being looked at. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Below a file.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}
