/**
 * An expense that somebody must approve in time. The wait is a timer and a signal in the history: no process has to
 * be up while nothing happens, and the deadline is kept over restarts and deploys.
 */
import { activity, workflow, type Duration, type Workflow } from 'everstep';

export interface Expense {
  readonly id: string;
  readonly cents: number;
  readonly remindAfter: Duration;
  /** After the reminder. */
  readonly deadline: Duration;
}

export interface Decision {
  readonly approved: boolean;
  readonly by: string;
}

export type Ending = 'paid' | 'refused' | 'expired';

/** What the workflow does to the world. */
export interface Office {
  remind(id: string): Promise<void>;
  pay(id: string, cents: number): Promise<void>;
}

export function approvalWorkflow(office: Office): Workflow<Expense, Ending> {
  const pay = activity({
    name: 'pay',
    run: ({ id, cents }: Expense) => office.pay(id, cents),
    startToCloseTimeout: '1 minute',
  });

  return workflow({ name: 'approval' }, async (ctx, expense: Expense) => {
    let state = 'waits for a decision';
    let decision: Decision | undefined;
    ctx.setQueryHandler('state', () => state);
    ctx.onSignal('decide', (given: Decision) => {
      // The first one counts.
      decision ??= given;
    });
    const decided = () => decision !== undefined;

    if (!(await ctx.condition(decided, expense.remindAfter))) {
      await ctx.step('remind', () => office.remind(expense.id));
      state = 'waits for a decision, after a reminder';
      await ctx.condition(decided, expense.deadline);
    }
    if (decision === undefined) return 'expired';
    if (!decision.approved) return 'refused';
    state = `is paid, approved by ${decision.by}`;
    await ctx.executeActivity(pay, expense);
    return 'paid';
  });
}
