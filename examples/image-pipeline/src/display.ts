/**
 * Live progress: on a terminal a bar and a line for each task at work, redrawn in place; elsewhere plain
 * lines. Colours only on a terminal, and never with NO_COLOR.
 */

/** What there is to show of one task. `steps` is how many it has, `done` how many of them are completed. */
export interface TaskView {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly step: string;
  readonly done: number;
  readonly steps: number;
}

export interface Display {
  /** Shows where the tasks are now. */
  update(tasks: readonly TaskView[]): void;
  /** A line that stays. */
  say(line: string): void;
  /** Takes away what was only for the moment. */
  end(): void;
}

/** The parts of a terminal or a file that are used: `process.stdout`, or less in a test. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export function createDisplay(output: Output, environment: NodeJS.ProcessEnv): Display {
  const noColour = (environment['NO_COLOR'] ?? '') !== '';
  return output.isTTY === true ? terminal(output, !noColour) : plainLines(output);
}

export function bar(done: number, all: number, width: number): string {
  const full = all === 0 ? 0 : Math.round((Math.min(done, all) / all) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

function terminal(output: Output, colour: boolean): Display {
  const paint = (code: number, text: string): string =>
    colour ? `\u001B[${code}m${text}\u001B[0m` : text;
  let drawn = 0;
  const erase = (): string => (drawn === 0 ? '' : `\u001B[${drawn}A\u001B[J`);

  function draw(tasks: readonly TaskView[]): string[] {
    const rows = Math.max(3, (output.rows ?? 24) - 4);
    const columns = (output.columns ?? 80) - 1;
    const done = tasks.filter(isOver).length;
    const atWork = tasks.filter((task) => !isOver(task) && task.status !== 'pending');
    const waiting = tasks.length - done - atWork.length;
    const numbers = numbered(tasks);
    const digits = String(tasks.length).length;
    const lines = atWork.slice(0, rows).map((task) => {
      const number = String(numbers.get(task.id)).padStart(digits);
      const head = `  ${number} ${task.title.padEnd(14).slice(0, 14)} `;
      const room = Math.max(0, columns - head.length - 14);
      const step = ` ${task.done}/${task.steps} ${task.step}`.slice(0, room);
      return head + paint(36, bar(task.done, task.steps, 14)) + step;
    });
    const more = atWork.length - lines.length + waiting;
    const steps = sum(tasks, (task) => task.steps);
    const stepsDone = sum(tasks, (task) => Math.min(task.done, task.steps));
    const total = `${done}/${tasks.length} tasks, ${stepsDone}/${steps} steps`;
    return [
      `${paint(32, bar(stepsDone, steps, Math.max(10, Math.min(30, columns - 30))))} ${total}`,
      ...lines,
      ...(more > 0 ? [paint(2, `  … and ${more} more waiting`)] : []),
    ];
  }

  return {
    update(tasks) {
      const lines = draw(tasks);
      output.write(`${erase()}${lines.join('\n')}\n`);
      drawn = lines.length;
    },
    say(line) {
      output.write(`${erase()}${line}\n`);
      drawn = 0;
    },
    end() {
      output.write(erase());
      drawn = 0;
    },
  };
}

/** One line for each task that is over, and one whenever the whole has come a tenth further. */
function plainLines(output: Output): Display {
  const over = new Set<string>();
  let tenths = 0;
  return {
    update(tasks) {
      const numbers = numbered(tasks);
      for (const task of tasks.filter(isOver)) {
        if (over.has(task.id)) continue;
        over.add(task.id);
        const name = `task ${numbers.get(task.id)}, ${task.title}`;
        output.write(`${task.status}: ${name} (${over.size}/${tasks.length})\n`);
      }
      const steps = sum(tasks, (task) => task.steps);
      const stepsDone = sum(tasks, (task) => Math.min(task.done, task.steps));
      const reached = steps === 0 ? 0 : Math.floor((stepsDone / steps) * 10);
      if (reached <= tenths) return;
      tenths = reached;
      output.write(`${stepsDone}/${steps} steps${stepsAtWork(tasks)}\n`);
    },
    say: (line) => void output.write(`${line}\n`),
    end: () => {},
  };
}

/** Their place in the order of submitting: several tasks may have the same title. */
function numbered(tasks: readonly TaskView[]): ReadonlyMap<string, number> {
  return new Map(tasks.map(({ id }, index) => [id, index + 1]));
}

/** Which steps are running in how many tasks: `; now enhance ×4, store ×1`. Empty when none is. */
function stepsAtWork(tasks: readonly TaskView[]): string {
  const counts = new Map<string, number>();
  for (const task of tasks) {
    if (isOver(task)) continue;
    const step = task.status === 'pending' ? 'waiting' : task.step;
    counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  const words = [...counts].map(([step, count]) => `${step} ×${count}`);
  return words.length === 0 ? '' : `; now ${words.join(', ')}`;
}

function isOver(task: TaskView): boolean {
  return task.status !== 'pending' && task.status !== 'processing';
}

function sum(tasks: readonly TaskView[], value: (task: TaskView) => number): number {
  return tasks.reduce((total, task) => total + value(task), 0);
}
