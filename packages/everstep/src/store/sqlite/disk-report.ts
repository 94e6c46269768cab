/** The disk under a database file, for who wants to know before it is too late. Looks, and changes nothing. */
import { accessSync, constants, existsSync, realpathSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { mountType, networkFileSystem } from './database-file.ts';

export interface DiskReport {
  /** The file's folder, or the first above it that exists. */
  readonly folder: string;
  readonly freeBytes: number;
  readonly writable: boolean;
  /** The name of the file system where it is reached over a network: such a store is refused. */
  readonly network: string | undefined;
  /** Why what is written there does not last. */
  readonly passing: string | undefined;
}

/** f_type of file systems that end with something else than a disk. */
const passingTypes: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs: memory, empty after a restart of the machine'],
  [0x858458f6, 'ramfs: memory, empty after a restart of the machine'],
  [0x794c7630, 'overlay: the layer of a container, gone with the container'],
  [0x61756673, 'aufs: the layer of a container, gone with the container'],
]);

export function reportOnDisk(path: string): DiskReport {
  let folder = dirname(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { type, bavail, bsize } = statfsSync(folder);
  return {
    folder,
    freeBytes: bavail * bsize,
    writable: isWritable(folder),
    network: networkFileSystem(type, () => mountType(realpathSync(folder))),
    passing: passingFileSystem(type),
  };
}

/** What it is where what is written does not last. The types are Linux's. */
export function passingFileSystem(type: number, platform = process.platform): string | undefined {
  return platform === 'linux' ? passingTypes.get(type >>> 0) : undefined;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
