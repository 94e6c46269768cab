/** A task, for people. */
import type { TaskState, TaskStatus } from '../tasks/task-status.ts';
import type { ListedState } from '../tasks/listed-tasks.ts';
import { oneLine } from './problem.ts';
import type { TaskPlace } from './task-place.ts';
import { paint, type Colour, type Terminal } from './terminal.ts';
import { clockText, spanShort, timeText } from './time-text.ts';

const colours: Readonly<Record<TaskState | ListedState, Colour>> = {
  pending: 'dim',
  running: 'cyan',
  processing: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
  not_found: 'red',
};

function stateText(terminal: Terminal, state: TaskState | ListedState): string {
  return paint(terminal, terminal.out, colours[state], state);
}

export function statusText(
  terminal: Terminal,
  status: TaskStatus,
  { name, taskQueue, workers }: TaskPlace,
): string {
  const now = terminal.now();
  const at = (ms: number): string => `${timeText(ms)} (${spanShort(now - ms)} ago)`;
  const lines: (readonly [string, string | undefined])[] = [
    ['task', status.taskId],
    ['name', name],
    ['status', stateText(terminal, status.status)],
    ['waits', workers === 0 ? `no worker polls the queue "${taskQueue}"` : undefined],
    ['step', stepText(status, now)],
    ['completed steps', status.completedSteps?.join(', ') || undefined],
    ['progress', status.progress === undefined ? undefined : JSON.stringify(status.progress)],
    ['created', at(status.createdAt)],
    ['started', status.startedAt === undefined ? undefined : at(status.startedAt)],
    ['ended', status.completedAt === undefined ? undefined : at(status.completedAt)],
    ['error', status.error === undefined ? undefined : oneLine(status.error)],
    ['result', status.result === undefined ? undefined : JSON.stringify(status.result)],
  ];
  return lines
    .filter((line): line is readonly [string, string] => line[1] !== undefined)
    .map(([label, value]) => `${label.padEnd(16)} ${value}\n`)
    .join('');
}

/** A change, in a line. */
export function changeText(terminal: Terminal, status: TaskStatus): string {
  const now = terminal.now();
  const parts = [
    clockText(now),
    stateText(terminal, status.status),
    stepText(status, now),
    status.progress === undefined ? undefined : JSON.stringify(status.progress),
    status.error === undefined ? undefined : oneLine(status.error),
    status.result === undefined ? undefined : JSON.stringify(status.result),
  ];
  return `${parts.filter((part) => part !== undefined).join('  ')}\n`;
}

function stepText(
  { currentStep, attempts, nextRetryAt }: TaskStatus,
  now: number,
): string | undefined {
  if (currentStep === undefined) return undefined;
  const notes = [
    ...(attempts !== undefined && attempts > 1 ? [`attempt ${attempts}`] : []),
    ...(nextRetryAt === undefined ? [] : [`next try in ${spanShort(nextRetryAt - now)}`]),
  ];
  return notes.length === 0 ? currentStep : `${currentStep} (${notes.join(', ')})`;
}
