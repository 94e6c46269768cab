/** The crash matrix: one cell for each failpoint and shape, and what all their rounds come to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Spares } from './crew.ts';
import type { Failpoint } from './failpoints.ts';
import type { Ground } from './ground.ts';
import { readLedgers } from './journal.ts';
import type { PlantedBug } from './planted.ts';
import { Round, shapes, type Shape } from './round.ts';
import { judge, type Verdict } from './verdict.ts';

export interface RoundReport extends Verdict {
  readonly shape: Shape;
  readonly seed: number;
  readonly killed: number;
  readonly seconds: number;
  /** Kept when something was wrong. */
  readonly folder: string;
}

export interface RoundRequest {
  readonly shape: Shape;
  readonly kills: readonly Failpoint[];
  readonly seed: number;
  /** Where the tasks are kept, and processes that know of it. */
  readonly ground: Ground;
  readonly spares: Spares;
  readonly tasksMin?: number;
  readonly planted?: PlantedBug;
}

export async function runRound(request: RoundRequest): Promise<RoundReport> {
  const { shape, kills, seed, ground, spares, tasksMin = 16, planted } = request;
  const folder = mkdtempSync(join(tmpdir(), 'everstep-crash-'));
  const started = performance.now();
  const site = await ground.prepare(folder, kills);
  const { migrationPlaces } = ground;
  const plan = {
    shape,
    kills,
    seed,
    folder,
    site,
    migrationPlaces,
    spares,
    tasksMin,
    ...(planted && { planted }),
  };
  const outcome = await new Round(plan).run();
  const stopped = !outcome.complaints.some((complaint) => complaint.startsWith('stuck'));
  const verdict = judge(outcome.journal, readLedgers(folder), await site.read(stopped));
  const violations = [...outcome.complaints, ...verdict.violations];
  if (violations.length === 0) {
    await site.remove();
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    ...verdict,
    violations,
    // What the parent saw go missing counts like what the verdict found.
    lost: verdict.lost + outcome.complaints.filter((said) => said.startsWith('lost:')).length,
    shape,
    seed,
    killed: outcome.killed,
    seconds: (performance.now() - started) / 1_000,
    folder,
  };
}

/** Kills of one cell's round: the same failpoint again and again, on one file. */
export function killsOf(failpoint: Failpoint, count: number): readonly Failpoint[] {
  return Array.from({ length: count }, () => failpoint);
}

export interface Cell {
  readonly failpoint: Failpoint;
  readonly shape: Shape;
  passed: number;
  total: number;
}

export interface Totals {
  readonly cells: readonly Cell[];
  rounds: number;
  kills: number;
  tasks: number;
  acknowledged: number;
  lost: number;
  duplicated: number;
  repeated: number;
  inFlight: number;
  violations: number;
}

export function newTotals(failpoints: readonly Failpoint[]): Totals {
  const cells = failpoints.flatMap((failpoint) =>
    shapes.map((shape) => ({ failpoint, shape, passed: 0, total: 0 })),
  );
  return {
    cells,
    rounds: 0,
    kills: 0,
    tasks: 0,
    acknowledged: 0,
    lost: 0,
    duplicated: 0,
    repeated: 0,
    inFlight: 0,
    violations: 0,
  };
}

export function add(totals: Totals, cell: Cell, report: RoundReport): void {
  cell.total += 1;
  if (report.violations.length === 0) cell.passed += 1;
  totals.rounds += 1;
  totals.kills += report.killed;
  totals.tasks += report.tasks;
  totals.acknowledged += report.acknowledged;
  totals.lost += report.lost;
  totals.duplicated += report.duplicated;
  totals.repeated += report.repeated;
  totals.inFlight += report.inFlight;
  totals.violations += report.violations.length;
}

export function table(totals: Totals): string {
  const failpoints = [...new Set(totals.cells.map((cell) => cell.failpoint))];
  const width = Math.max(...failpoints.map((name) => name.length));
  const row = (first: string, columns: readonly string[]): string =>
    `${first.padEnd(width)}  ${columns.map((text, i) => text.padStart(shapes[i]?.length ?? 0)).join('  ')}`;
  const lines = failpoints.map((failpoint) =>
    row(
      failpoint,
      shapes.map((shape) => {
        const cell = totals.cells.find((one) => one.failpoint === failpoint && one.shape === shape);
        return cell === undefined || cell.total === 0 ? '-' : `${cell.passed}/${cell.total}`;
      }),
    ),
  );
  const tried = totals.cells.filter((cell) => cell.total > 0);
  const passed = tried.filter((cell) => cell.passed === cell.total);
  return [
    row('killed', shapes),
    ...lines,
    '',
    `cells passed ${passed.length}/${tried.length}; rounds ${totals.rounds}; kills ${totals.kills}; tasks ${totals.tasks}`,
    `acknowledged ${totals.acknowledged}; lost ${totals.lost}; duplicated ${totals.duplicated}; ` +
      `completed steps run again ${totals.repeated}; steps in flight repeated ${totals.inFlight}; ` +
      `violations ${totals.violations}`,
  ].join('\n');
}
