/** What the tests of disasters have in common: processes that wait to be taken, and the shapes that each is tried in. */
import { it } from 'vitest';
import { Spares } from './crew.ts';
import type { Role } from './messages.ts';

interface CrewFixture {
  readonly spares: Spares;
}

export const itWithSpares = it.extend<CrewFixture>({
  spares: [
    // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern which fixtures this one needs
    async ({}, use) => {
      const spares = new Spares();
      await use(spares);
      await spares.dismiss();
    },
    { scope: 'file' },
  ],
});

export const crewShapes: readonly { readonly shape: string; readonly roles: readonly Role[] }[] = [
  { shape: 'one process', roles: ['both'] },
  { shape: 'several processes', roles: ['submitter', 'worker', 'worker'] },
];

/** The verdict on a file to which nothing happened that should not. */
export const goodVerdict = { lost: 0, duplicated: 0, repeated: 0, violations: [] };
