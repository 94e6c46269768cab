/** Tells when a source file below some folders has changed: once for changes that come together. */
import { statSync, watch, type FSWatcher } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';

const togetherMs = 150;
const aSource = /\.([cm]?[jt]sx?|json)$/;
/** Whose parts are no sources of the user's: packages, and what a dot hides, `.everstep` above all. */
const noSource = /(^|[\\/])(node_modules|\.[^\\/]+)([\\/]|$)/;

interface WatchedFolder {
  readonly path: string;
  readonly recursive: boolean;
}

export interface SourceWatchListener {
  /** A file has changed; its path is from the working directory. */
  onChange(this: void, file: string): void;
  /** A folder is not watched any more, or the system watches no more of them. */
  onError(this: void, error: Error): void;
}

export class SourceWatch {
  readonly folders: readonly string[];
  readonly #watchers: readonly FSWatcher[];
  #timer: NodeJS.Timeout | undefined;

  constructor(folders: readonly WatchedFolder[], { onChange, onError }: SourceWatchListener) {
    this.folders = folders.map(({ path }) => relative(process.cwd(), path) || '.');
    this.#watchers = folders.map(({ path, recursive }) =>
      watch(path, { recursive }, (_event, name) => {
        if (name === null || !aSource.test(name) || noSource.test(name)) return;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
          onChange(relative(process.cwd(), resolve(path, name)));
        }, togetherMs);
      }).on('error', onError),
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }
}

/**
 * For each path the folder of the working directory that it is in, with all below it, as a task imports what lies beside
 * it. Of a file in the working directory itself: that, and nothing below, where packages are.
 */
export function watchedFolders(paths: readonly string[], cwd = process.cwd()): WatchedFolder[] {
  const found = new Map<string, boolean>();
  for (const path of paths.length === 0 ? ['.'] : paths) {
    const place = resolve(cwd, path);
    const kind = statSync(place, { throwIfNoEntry: false });
    if (kind === undefined) throw new RangeError(`There is no file or folder ${path} in ${cwd}.`);
    const folder = kind.isDirectory() ? place : dirname(place);
    const [first = ''] = relative(cwd, folder).split(sep);
    if (first === '..' || resolve(first) === first) found.set(folder, true);
    else if (first === '') found.set(cwd, found.get(cwd) ?? false);
    else found.set(resolve(cwd, first), true);
  }
  return [...found].map(([path, recursive]) => ({ path, recursive }));
}
