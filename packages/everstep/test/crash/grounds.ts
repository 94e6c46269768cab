/** The grounds by name; a store joins the matrix here, and in crash-store.ts. */
import type { Ground } from './ground.ts';
import { PostgresGround } from './postgres-ground.ts';
import { SqliteGround } from './sqlite-ground.ts';

const grounds = {
  sqlite: SqliteGround,
  postgres: PostgresGround,
} as const satisfies Readonly<Record<string, new () => Ground>>;

export type GroundName = keyof typeof grounds;
export const groundNames = Object.keys(grounds) as readonly GroundName[];

export function newGround(name: GroundName): Ground {
  return new grounds[name]();
}
