/**
 * Where the peers are installed: one folder each in the user's cache, so that no peer sees another's packages or the
 * workspace's, and one that cannot be installed takes nobody with it. What is there in the right version stays.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'everstep-bench');

/** Imports from where it lies, so its packages are found as an application's own would be. */
const loader = 'export const load = (name) => import(name);\n';

export function cacheFolder(name: string): string {
  const folder = join(cache, name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase());
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The folder, with the packages installed. @throws Error with the last lines of npm. */
export function installPackages(name: string, packages: Readonly<Record<string, string>>): string {
  const folder = cacheFolder(name);
  const manifest = JSON.stringify({ private: true, type: 'module', dependencies: packages });
  const manifestPath = join(folder, 'package.json');
  const done = join(folder, 'node_modules', '.installed');
  if (existsSync(done) && readFileSync(manifestPath, 'utf8') === manifest) return folder;
  rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
  rmSync(join(folder, 'package-lock.json'), { force: true });
  writeFileSync(manifestPath, manifest);
  writeFileSync(join(folder, 'load.js'), loader);
  npm(folder, ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund']);
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  writeFileSync(done, '');
  return folder;
}

/** `Module` describes the few exports that are used. */
export async function loadPackage<Module>(folder: string, name: string): Promise<Module> {
  const { load } = (await import(pathToFileURL(join(folder, 'load.js')).href)) as {
    readonly load: (name: string) => Promise<Module>;
  };
  return load(name);
}

function npm(folder: string, words: readonly string[]): void {
  // What `npm run -w` says about the workspace is not meant for another folder.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([key]) => !/^npm_config_(workspace|local_prefix)/.test(key),
    ),
  );
  try {
    execFileSync('npm', words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (cause) {
    const output = String((cause as { readonly stderr?: unknown }).stderr ?? cause);
    throw new Error(`npm install failed: ${output.trim().split('\n').slice(-3).join(' ')}`, {
      cause,
    });
  }
}
