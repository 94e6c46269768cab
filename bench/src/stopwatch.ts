/** Wall time and CPU time of a stretch of work. */
export interface Lap {
  readonly seconds: number;
  /** Of all processes that take part. */
  readonly cpuMs: number;
}

/** CPU time of this process so far: all its threads, user and system. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export async function lapOf(
  stage: { cpuMs(): Promise<number> },
  work: () => Promise<void>,
): Promise<Lap> {
  const cpuBefore = await stage.cpuMs();
  const before = performance.now();
  await work();
  const seconds = (performance.now() - before) / 1000;
  return { seconds, cpuMs: (await stage.cpuMs()) - cpuBefore };
}
