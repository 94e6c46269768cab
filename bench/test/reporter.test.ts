import { expect, it } from 'vitest';
import { jsonReporter, tableReporter } from '../src/reporter.ts';
import type { Row } from '../src/row.ts';

const row: Row = { engine: 'embedded', store: 'sqlite', work: 'one-step', n: 10_000 };
const cells = (line: string): string[] => line.trim().split(/ {2,}/);

it('writes a row as one line of JSON', () => {
  expect(jsonReporter.head).toBe('');
  expect(jsonReporter.line({ ...row, perSecond: 3000 })).toBe(
    '{"engine":"embedded","store":"sqlite","work":"one-step","n":10000,"perSecond":3000}',
  );
});

it('puts figures under their titles and leaves out what was not measured', () => {
  const [titles = ''] = tableReporter.head.split('\n');
  const line = tableReporter.line({ ...row, perSecond: 3_456.7, cpuMsPerUnit: 0.3 });
  expect(cells(line)).toEqual(['sqlite', 'one-step', '10,000', '3,457', '0.300 ms/task']);
  const end = titles.indexOf('tasks/s') + 'tasks/s'.length;
  expect(line.slice(0, end)).toMatch(/3,457$/);
});

it('names the unit of the CPU time: a step, a task, and of an idle second the share', () => {
  const last = (part: Partial<Row>): string | undefined =>
    cells(tableReporter.line({ ...row, ...part })).at(-1);
  expect(last({ stepsPerSecond: 9000, cpuMsPerUnit: 0.1 })).toBe('0.100 ms/step');
  expect(last({ p50Ms: 0.5, cpuMsPerUnit: 0.1 })).toBe('0.100 ms/task');
  expect(last({ work: 'idle, two processes', cpuMsPerUnit: 4 })).toBe('0.40 %');
});
