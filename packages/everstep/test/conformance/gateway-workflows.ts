/** Workflows as users of the official SDK write them; the worker bundles this file. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
} from '@temporalio/workflow';

interface Activities {
  greet(name: string): Promise<string>;
  failTwice(key: string): Promise<number>;
  refuse(): Promise<void>;
  heartbeatUntilCancelled(): Promise<string>;
}

const { greet, failTwice, refuse } = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '10ms', maximumAttempts: 5 },
});
const { heartbeatUntilCancelled } = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  heartbeatTimeout: '2s',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});
const local = proxyLocalActivities<Activities>({ startToCloseTimeout: '10s' });

export const add = defineSignal<[number]>('add');
export const total = defineQuery<number>('total');
export const putIn = defineUpdate<number, [string]>('putIn');

export async function greeting(name: string): Promise<string> {
  return greet(name);
}

export async function manySteps(count: number): Promise<number> {
  for (let step = 0; step < count; step += 1) await greet(String(step));
  return count;
}

export async function retried(key: string): Promise<number> {
  return failTwice(key);
}

export async function refused(): Promise<string> {
  try {
    await refuse();
    return 'not refused';
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    throw ApplicationFailure.nonRetryable('it was refused', 'Refused', error.activityType);
  }
}

export async function localGreeting(name: string): Promise<string> {
  return local.greet(name);
}

export async function sleeper(ms: number): Promise<string> {
  await sleep(ms);
  return 'awake';
}

export async function counter(goal: number): Promise<number> {
  let sum = 0;
  setHandler(add, (value) => {
    sum += value;
  });
  setHandler(total, () => sum);
  await condition(() => sum >= goal);
  return sum;
}

export async function basket(goal: number): Promise<string[]> {
  const items: string[] = [];
  const put = (item: string): number => items.push(item);
  setHandler(putIn, put, {
    validator: (item) => {
      if (items.includes(item)) throw new RangeError(`${item} is in it already`);
    },
  });
  await condition(() => items.length >= goal, '1 hour');
  return items;
}

export async function parent(names: string[]): Promise<string[]> {
  return Promise.all(names.map((name) => executeChild(greeting, { args: [name] })));
}

export async function parentOfFailing(): Promise<string> {
  try {
    return await executeChild(refused);
  } catch (error) {
    return error instanceof ChildWorkflowFailure ? (error.cause?.message ?? '') : 'other';
  }
}

export async function signalsChild(): Promise<number> {
  const child = await startChild(counter, { args: [5] });
  await child.signal(add, 2);
  await getExternalWorkflowHandle(child.workflowId).signal(add, 3);
  return child.result();
}

export async function countsDown(left: number): Promise<string> {
  if (left > 0) await continueAsNew<typeof countsDown>(left - 1);
  return 'lift-off';
}

export async function cleansUp(): Promise<string> {
  try {
    await sleep('1 hour');
    return 'slept';
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return CancellationScope.nonCancellable(() => greet('cleaner'));
  }
}

export async function cancelsActivity(): Promise<string> {
  return heartbeatUntilCancelled();
}
