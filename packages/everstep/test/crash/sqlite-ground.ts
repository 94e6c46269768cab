/** A SQLite file for each round. */
import { join } from 'node:path';
import { killpoints, migrationPlaces } from './failpoints.ts';
import type { Ground, Site } from './ground.ts';
import { readFile, type StoredFile } from './stored-tasks.ts';

export class SqliteGround implements Ground {
  readonly failpoints = killpoints;
  readonly migrationPlaces = migrationPlaces;

  prepare(folder: string): Promise<Site> {
    return Promise.resolve(new SqliteSite(join(folder, 'tasks.db')));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class SqliteSite implements Site {
  readonly store: string;

  constructor(path: string) {
    this.store = path;
  }

  read(stopped: boolean): Promise<StoredFile> {
    return readFile(this.store, stopped);
  }

  /** It goes with the folder of the round. */
  remove(): Promise<void> {
    return Promise.resolve();
  }
}
