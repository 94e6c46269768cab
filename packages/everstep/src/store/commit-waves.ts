/** Which groups of one commit may be under way at the same time: those that touch different runs and workflow ids. */
import type { CommitGroup, RunWrite } from './store.ts';

/** Indexes of groups, in their order; those of one wave touch different runs and workflow ids. */
export function wavesOf(groups: readonly CommitGroup[]): readonly (readonly number[])[] {
  const waves: number[][] = [];
  let wave: number[] = [];
  let touched = new Set<string>();
  for (const [index, group] of groups.entries()) {
    const names = namesOf(group);
    if (wave.length > 0 && names.some((name) => touched.has(name))) {
      waves.push(wave);
      wave = [];
      touched = new Set();
    }
    wave.push(index);
    for (const name of names) touched.add(name);
  }
  if (wave.length > 0) waves.push(wave);
  return waves;
}

function namesOf({ writes, reads }: CommitGroup): string[] {
  const names: string[] = [];
  for (const { key, ref, replaces } of writes) {
    names.push(`${key.namespaceId}/${key.workflowId}`);
    if (ref !== undefined) names.push(String(ref));
    if (typeof replaces === 'number') names.push(String(replaces));
  }
  for (const { ref } of reads ?? []) names.push(String(ref));
  return names;
}

/** A write to a run that another write of the group is to as well. */
export function namedTwice({ writes }: CommitGroup): RunWrite | undefined {
  if (writes.length < 2) return undefined;
  const seen = new Set<number>();
  return writes.find(({ ref }) => {
    if (ref === undefined) return false;
    if (seen.has(ref)) return true;
    seen.add(ref);
    return false;
  });
}
