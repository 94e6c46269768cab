/** Wall time and CPU time of a stretch of work. */
export interface Lap {
  readonly seconds: number;
  /** Of all processes that take part. */
  readonly cpuMs: number;
  /** Questions to the database; undefined where it lies in the process. */
  readonly queries: number | undefined;
}

/** CPU time of this process so far: all its threads, user and system. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export async function lapOf(
  stage: { cpuMs(): Promise<number>; queries?(): Promise<number> },
  work: () => Promise<void>,
): Promise<Lap> {
  const queriesBefore = await stage.queries?.();
  const cpuBefore = await stage.cpuMs();
  const before = performance.now();
  await work();
  const seconds = (performance.now() - before) / 1000;
  const cpuMs = (await stage.cpuMs()) - cpuBefore;
  const asked = await stage.queries?.();
  const queries =
    asked === undefined || queriesBefore === undefined ? undefined : asked - queriesBefore;
  return { seconds, cpuMs, queries };
}

/** A row has the figure only where it means something. */
export function queriesPer(units: number, { queries }: Lap): { readonly queriesPerUnit?: number } {
  return queries === undefined ? {} : { queriesPerUnit: queries / units };
}
