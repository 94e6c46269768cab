/** What must be true of the rows at the end. */
import type { Outcome } from './run.ts';

export function verdict({ reports, ran }: Outcome, rows: number): string[] {
  const problems: string[] = [];
  for (const [table, all] of Object.entries(reports)) {
    if (all.length !== rows) problems.push(`${table} has ${all.length} rows, not ${rows}`);
    for (const [index, own] of all.entries()) {
      if (own.length === 0) problems.push(`${table} ${index + 1} was never reported`);
      if (own.some((status) => status !== 'completed')) {
        problems.push(`${table} ${index + 1} was reported as ${own.join(', ')}`);
      }
      for (const step of ['make', 'send']) {
        const times = ran.get(`${table} ${index + 1} ${step}`) ?? 0;
        if (times !== 1) problems.push(`${table} ${index + 1}: step ${step} ran ${times} times`);
      }
    }
  }
  return problems;
}
