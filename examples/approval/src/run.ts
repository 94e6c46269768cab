/** Four expenses: approved at once, approved after the reminder, refused, and one that nobody looks at. */
import { AsyncTaskComponent } from 'everstep';
import { approvalWorkflow, type Decision, type Ending, type Expense } from './approval.ts';

export interface Outcome {
  readonly endings: Readonly<Record<string, Ending>>;
  /** What a query answered before the reminder, and after it. */
  readonly states: readonly string[];
  readonly reminded: readonly string[];
  readonly paid: readonly string[];
}

/** Days in the real world; here it should not take so long. */
const remindAfter = '1s';
const deadline = '2s';

export async function run(): Promise<Outcome> {
  const reminded: string[] = [];
  const paid: string[] = [];
  let tellReminded = (): void => undefined;
  const lateIsReminded = new Promise<void>((resolve) => {
    tellReminded = resolve;
  });
  const approval = approvalWorkflow({
    remind: async (id) => {
      reminded.push(id);
      if (id === 'late') tellReminded();
    },
    pay: async (id, cents) => {
      paid.push(`${id} ${cents}`);
    },
  });
  const component = new AsyncTaskComponent({ store: 'memory' });
  component.register(approval);
  await component.start();
  try {
    const start = (id: string, cents: number) =>
      approval.start({ id, cents, remindAfter, deadline } satisfies Expense, {
        workflowId: `expense-${id}`,
      });
    const [early, late, refused, forgotten] = await Promise.all([
      start('early', 1000),
      start('late', 2000),
      start('refused', 3000),
      start('forgotten', 4000),
    ]);
    // Whoever decides needs nothing but the id, from any process: here the official client's handle.
    await early.signal<[Decision]>('decide', { approved: true, by: 'ada' });
    await refused.signal<[Decision]>('decide', { approved: false, by: 'bob' });
    const states = [await late.query<string>('state')];
    await lateIsReminded;
    await waitFor(async () => (await late.query<string>('state')).includes('reminder'));
    states.push(await late.query<string>('state'));
    await late.signal<[Decision]>('decide', { approved: true, by: 'eve' });
    const endings = {
      early: await early.result(),
      late: await late.result(),
      refused: await refused.result(),
      forgotten: await forgotten.result(),
    };
    return { endings, states, reminded, paid };
  } finally {
    await component.stop();
  }
}

async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100 && !(await holds()); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
