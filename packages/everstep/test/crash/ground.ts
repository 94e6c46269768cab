/** Where the tasks of rounds are kept: a ground for each store. Nothing else of the matrix knows which it is. */
import type { Chance } from '../chance.ts';
import type { DatabaseFault, Failpoint, Place } from './failpoints.ts';
import type { StoredFile } from './stored-tasks.ts';

export interface Ground {
  /** In the order of the table. */
  readonly failpoints: readonly Failpoint[];
  /** What a process passes that makes its tables, in this order. */
  readonly migrationPlaces: readonly Place[];
  /** A new and empty place for one round, whose kills are these. `folder` is the round's own. */
  prepare(folder: string, kills: readonly Failpoint[]): Promise<Site>;
  close(): Promise<void>;
}

export interface Site {
  /** For the processes: the path of a file, or a URL. */
  readonly store: string;
  /** Does that to the database while processes work on it. Resolves with what prevented it. */
  suffer?(fault: DatabaseFault, chance: Chance): Promise<string | undefined>;
  /** What is there when everybody has gone. */
  read(stopped: boolean): Promise<StoredFile>;
  /** After a round in which all was well. */
  remove(): Promise<void>;
}
