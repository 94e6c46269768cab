/** What the official worker runs: one workflow that calls one activity. */
import { proxyActivities } from '@temporalio/workflow';

interface Activities {
  add(number: number): Promise<number>;
}

const { add } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });

export async function oneActivity(number: number): Promise<number> {
  return add(number);
}
