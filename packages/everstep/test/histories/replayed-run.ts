/**
 * Drives a task live over a hand-made history, one workflow task after another, and then drives it again from every
 * prefix: what it asks and how it ends must not differ.
 */
import { defaultDataConverter } from '@temporalio/common';
import { defineTask, type TaskDefinition, type TaskOptions } from '../../src/tasks/definition.ts';
import { commandsOf } from '../../src/tasks/run-commands.ts';
import { Run } from '../../src/tasks/run.ts';
import { commandInWords } from './command-in-words.ts';
import { HistoryMaker } from './history-maker.ts';

const options = { converter: defaultDataConverter, automaticHeartbeatMs: 0 };

interface Turn {
  readonly startedEventId: number;
  readonly said: readonly string[];
}

export class ReplayedRun {
  readonly definition: TaskDefinition;
  /** The definition as a process has it that has run none of it. */
  readonly #newDefinition: () => TaskDefinition;
  readonly history: HistoryMaker;
  readonly turns: Turn[] = [];
  run: Run;
  #driven = 0;

  constructor(
    task: unknown,
    taskOptions: Partial<TaskOptions<unknown, unknown>> = {},
    params: unknown = {},
  ) {
    this.#newDefinition = () => defineTask({ name: 'task', task: task as never, ...taskOptions });
    this.definition = this.#newDefinition();
    this.history = new HistoryMaker(params);
    this.run = this.fresh();
  }

  fresh(definition: TaskDefinition = this.definition): Run {
    return new Run({ workflowId: 'workflow', runId: 'run' }, definition, defaultDataConverter);
  }

  /** One workflow task: what happened since, driven live. Returns the commands in words. */
  async turn(
    happens: (history: HistoryMaker) => void = () => undefined,
  ): Promise<readonly string[]> {
    happens(this.history);
    const startedEventId = this.history.startWorkflowTask();
    const events = this.history.events.slice(this.#driven, startedEventId);
    await this.run.drive(events, startedEventId);
    if (this.run.broken) throw this.run.broken;
    const commands = commandsOf(this.run, options);
    this.#driven = startedEventId;
    this.history.completeWorkflowTask(commands);
    const said = commands.map(commandInWords);
    this.turns.push({ startedEventId, said });
    return said;
  }

  /** Forgets the live run and drives a new one over the history so far, perhaps with other code. */
  async crash(definition: TaskDefinition = this.definition): Promise<void> {
    this.run = this.fresh(definition);
    const last = this.turns.at(-1)?.startedEventId ?? 0;
    await this.run.drive(this.history.events.slice(0, last), last);
    if (this.run.broken) throw this.run.broken;
    this.#driven = last;
  }

  /** From every workflow task as a beginning, the later ones said what they said live. */
  async differences(): Promise<string[]> {
    const found: string[] = [];
    for (let crashed = 0; crashed < this.turns.length; crashed += 1) {
      let run: Run | undefined;
      let driven = 0;
      for (const [index, { startedEventId, said }] of this.turns.entries()) {
        // The first drive takes the whole history up to the crash at once.
        if (index < crashed) continue;
        run ??= this.fresh(this.#newDefinition());
        await run.drive(this.history.events.slice(driven, startedEventId), startedEventId);
        driven = startedEventId;
        if (run.broken) return [...found, run.broken.message];
        const again = commandsOf(run, options).map(commandInWords);
        if (again.join() !== said.join()) {
          found.push(
            `begun at ${crashed}, turn ${index}: ${again.join()} instead of ${said.join()}`,
          );
        }
      }
    }
    return found;
  }
}
