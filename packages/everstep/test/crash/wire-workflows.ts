/** Workflows as users of the official SDK write them, for the wire crash test. */
import {
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  executeChild,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  uuid4,
} from '@temporalio/workflow';
import type { Journey, JourneyEnd } from './wire-messages.ts';

interface Activities {
  act(ms: number, token: string): Promise<string>;
  beat(ms: number, token: string): Promise<string>;
  failTwice(token: string): Promise<string>;
}

// What a killed worker had begun is given up after the first of these.
const { act, failTwice } = proxyActivities<Activities>({
  startToCloseTimeout: '5s',
  retry: { initialInterval: '50ms', maximumInterval: '200ms' },
});
const { beat } = proxyActivities<Activities>({
  startToCloseTimeout: '60s',
  heartbeatTimeout: '3s',
  retry: { initialInterval: '50ms', maximumInterval: '200ms' },
});
const local = proxyLocalActivities<Activities>({ startToCloseTimeout: '10s' });

/** Activities, timers, a local activity, a child with further runs, signals and updates, most of them side by side. */
export async function journey({ id, ms, signals, updates, laps }: Journey): Promise<JourneyEnd> {
  const heard: number[] = [];
  const taken: number[] = [];
  setHandler(defineSignal<[number]>('tell'), (number) => void heard.push(number));
  setHandler(defineUpdate<number, [number]>('take'), async (number) => {
    await condition(() => heard.length > 0);
    taken.push(number);
    return number * 2;
  });
  const drawn = uuid4();
  patched('second-edition');
  const tokens = await Promise.all([
    act(ms[0], `${id} act`),
    sleep(ms[1]).then(() => `${id} slept`),
    failTwice(`${id} thrice`),
    executeChild(lap, { workflowId: `${id}-laps`, args: [ms[2], laps] }),
  ]);
  tokens.push(await local.act(ms[0], `${id} local`), await beat(ms[2], `${id} beat`));
  // A timer of its own, whether or not everything is there already.
  await Promise.all([
    sleep(ms[0]),
    condition(() => heard.length === signals && taken.length === updates),
  ]);
  return { tokens, signals: heard, updates: taken, drawn: drawn.length === 36 };
}

/** So many runs, one after the other. */
export async function lap(ms: number, left: number): Promise<string> {
  await act(ms, `lap ${left}`);
  await sleep(ms);
  if (left > 1) return continueAsNew<typeof lap>(ms, left - 1);
  return 'round';
}
