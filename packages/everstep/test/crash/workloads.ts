/** The kinds of tasks that run while processes are killed; workload-tasks.ts has their code. */
import { singleKey } from '../../src/tasks/task-kind.ts';

export interface WorkParams {
  readonly taskId: string;
  /** How long each step lasts, ms, in the order of the code. */
  readonly waits: readonly number[];
  /** Makes the task large. */
  readonly ballast?: string;
}

export interface WorkResult {
  /** Step key to the token it came to. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Branches as the code saw them end. */
  readonly order: readonly string[];
  /** Only of `once`: the failure that the code caught. */
  readonly lost?: string;
  /** Only of those that wait for a signal. */
  readonly answer?: unknown;
}

export const signalName = 'answer';
/** Attempts that fail in `retries`. */
export const failingAttempts = 2;

export interface Workload {
  readonly name: string;
  /** Keys of its steps, as getStatus shows them. */
  readonly keys: readonly string[];
  readonly signalled: boolean;
  /** Whether the code sees the order of what happens side by side: names to step keys, or to what is no step. */
  readonly branches: readonly string[];
}

const plain = { signalled: false, branches: [] } as const;

export const workloads: readonly Workload[] = [
  { name: 'five', keys: ['one', 'two', 'three', 'four', 'five'], ...plain },
  {
    name: 'parallel',
    keys: ['slow', 'fast', 'middle', 'after'],
    signalled: false,
    branches: ['slow', 'fast', 'middle'],
  },
  { name: 'signalled', keys: ['ask', 'use'], ...plain, signalled: true },
  { name: 'sleeper', keys: ['work', 'after'], signalled: false, branches: ['work', 'sleep'] },
  {
    name: 'contest',
    keys: ['work', 'after'],
    signalled: true,
    branches: ['work', 'signal', 'sleep'],
  },
  { name: 'retries', keys: ['shaky', 'after'], ...plain },
  { name: 'once', keys: ['single', 'after'], ...plain },
  { name: 'lone', keys: [singleKey], ...plain },
];

export function workloadOf(name: string): Workload {
  const found = workloads.find((workload) => workload.name === name);
  if (found === undefined) throw new RangeError(`There is no workload ${name}`);
  return found;
}
