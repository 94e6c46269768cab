/** A measurement in a process of its own, as rows. */
import { rmSync } from 'node:fs';
import { makeDataFolder } from './data-folder.ts';
import type { MeasureQuestion } from './measure-process.ts';
import { titleOf, type Measurement } from './measurement.ts';
import { startPostgres } from './peers/servers/postgres.ts';
import { Subprocess } from './subprocess.ts';
import type { Figures, Row } from './row.ts';

/** @throws Error when the work was done wrong, or not at all. */
export async function measure(measurement: Measurement): Promise<Row[]> {
  const folder = makeDataFolder();
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  // Also when the benchmark is interrupted.
  process.once('exit', removeFolder);
  const server = measurement.store === 'postgres' ? await startPostgres(folder) : undefined;
  const subprocess = new Subprocess(new URL('./measure-process.ts', import.meta.url));
  try {
    const question: MeasureQuestion = {
      measurement,
      folder,
      server: server && { url: server.urls['postgres'] ?? '', pid: server.pid },
    };
    const figures = await subprocess.ask<readonly Figures[]>('measure', question);
    return figures.map((part) => rowOf(measurement, part));
  } finally {
    await subprocess.leave();
    await server?.stop();
    process.off('exit', removeFolder);
    removeFolder();
  }
}

function rowOf(measurement: Measurement, { part, n, ...figures }: Figures): Row {
  const title = titleOf(measurement);
  const work = part === undefined ? title : title.replace(measurement.work, `$& ${part}`);
  const rounded = Object.entries(figures).map(([name, value]) => [name, meaningful(value)]);
  return { engine: 'embedded', store: measurement.store, work, n, ...Object.fromEntries(rounded) };
}

/** Four digits are more than any of the figures can bear. */
function meaningful(value: number): number {
  return Number(value.toPrecision(4));
}
