/**
 * What became of a commit whose answer is an error: it may have been written all the same. Each write carries a
 * token that no other has, so the runs themselves tell.
 */
import type { CommitGroup, CommitResult, JoinedStore } from '../store/store.ts';

/** Undefined: it was not written. Unknown: others have written since, or the runs cannot be read either. */
export async function readBack(
  store: JoinedStore,
  group: CommitGroup,
): Promise<CommitResult | 'unknown' | undefined> {
  try {
    const stored = await Promise.all(group.writes.map(({ key }) => store.runs.load({ key })));
    const refs: number[] = [];
    for (const [index, write] of group.writes.entries()) {
      const run = stored[index];
      if ((run?.version ?? 0) === write.expectedVersion) return undefined;
      if (run?.operationToken === write.operationToken) refs.push(run.ref);
    }
    if (refs.length < group.writes.length) return 'unknown';
    // The ids of the outbox rows are not known: the sweep delivers them.
    return { outcome: 'committed', refs, outboxIds: refs.map(() => []) };
  } catch {
    return 'unknown';
  }
}
