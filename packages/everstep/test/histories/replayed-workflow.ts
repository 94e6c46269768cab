/**
 * Drives a workflow with a context live over a hand-made history, one workflow task after another, and then drives it
 * again from every prefix: what it asks and how it ends must not differ.
 */
import { defaultDataConverter } from '@temporalio/common';
import type { Logger } from '../../src/service/logger.ts';
import { ContextRun } from '../../src/tasks/context-run.ts';
import { commandsOf } from '../../src/tasks/run-commands.ts';
import type { UpdateAnswer, UpdateMessage } from '../../src/tasks/update-messages.ts';
import { workflow, type WorkflowDefinition } from '../../src/tasks/workflow.ts';
import type { WorkflowContext } from '../../src/tasks/workflow-context.ts';
import { commandInWords } from './command-in-words.ts';
import { HistoryMaker, payloadOf } from './history-maker.ts';

const options = { converter: defaultDataConverter, automaticHeartbeatMs: 0 };

interface Turn {
  readonly startedEventId: number;
  readonly said: readonly string[];
  readonly updates: readonly UpdateMessage[];
}

/** An update that comes with a workflow task. */
export interface AskedUpdate {
  readonly id: string;
  readonly name: string;
  readonly argument: unknown;
}

// oxlint-disable-next-line typescript/no-explicit-any -- any input
type Code = (ctx: WorkflowContext, input: any) => Promise<unknown>;

export class ReplayedWorkflow {
  readonly history: HistoryMaker;
  readonly turns: Turn[] = [];
  /** What was logged, `level: message`. */
  readonly logged: string[] = [];
  run: ContextRun;
  #definition: WorkflowDefinition;
  #driven = 0;

  constructor(code: Code, input: unknown = {}) {
    this.#definition = workflow({ name: 'flow' }, code).definition;
    this.history = new HistoryMaker(input);
    this.run = this.fresh();
  }

  fresh(): ContextRun {
    const at =
      (level: string): Logger['info'] =>
      (message) => {
        this.logged.push(`${level}: ${message}`);
      };
    return new ContextRun({ workflowId: 'flow-1', runId: 'run' }, this.#definition, {
      namespace: 'default',
      converter: defaultDataConverter,
      logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    });
  }

  /** One workflow task: what happened since, driven live. Returns the commands in words. */
  async turn(
    happens: (history: HistoryMaker) => void = () => undefined,
    asked: readonly AskedUpdate[] = [],
  ): Promise<readonly string[]> {
    happens(this.history);
    const startedEventId = this.history.startWorkflowTask();
    const updates = asked.map((update) => messageOf(update, startedEventId - 1));
    const events = this.history.events.slice(this.#driven, startedEventId);
    this.run.updates.receive(updates);
    await this.run.drive(events, startedEventId);
    if (this.run.broken) throw this.run.broken;
    const commands = commandsOf(this.run, options);
    const answers = this.run.updates.takeAnswers();
    this.#driven = startedEventId;
    this.history.completeWorkflowTask(commands);
    for (const answer of answers) this.history.updateAnswered(answer);
    const said = [...answers.map(answerInWords), ...commands.map(commandInWords)];
    this.turns.push({ startedEventId, said, updates });
    return said;
  }

  /** Forgets the live run and drives a new one over the history so far, perhaps with other code. */
  async crash(code?: Code): Promise<void> {
    if (code) this.#definition = workflow({ name: 'flow' }, code).definition;
    this.run = this.fresh();
    const last = this.turns.at(-1)?.startedEventId ?? 0;
    await this.run.drive(this.history.events, last);
    if (this.run.broken) throw this.run.broken;
    // As a worker does: its answer to that workflow task is in the history already.
    this.#driven = last;
  }

  /** From every workflow task as a beginning, the later ones said what they said live. */
  async differences(): Promise<string[]> {
    const found: string[] = [];
    for (let crashed = 0; crashed < this.turns.length; crashed += 1) {
      let run: ContextRun | undefined;
      let driven = 0;
      for (const [index, { startedEventId, said, updates }] of this.turns.entries()) {
        // The first drive takes the whole history up to the crash at once.
        if (index < crashed) continue;
        run ??= this.fresh();
        run.updates.receive(updates);
        await run.drive(this.history.events.slice(driven, startedEventId), startedEventId);
        driven = startedEventId;
        if (run.broken) return [...found, run.broken.message];
        const commands = commandsOf(run, options).map(commandInWords);
        const again = [...run.updates.takeAnswers().map(answerInWords), ...commands];
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

function messageOf({ id, name, argument }: AskedUpdate, sequencingEventId: number): UpdateMessage {
  const request = {
    meta: { updateId: id },
    input: { name, args: { payloads: [payloadOf(argument)] } },
  };
  const messageId = `${id}/request`;
  return { updateId: id, messageId, sequencingEventId, request, wireRequest: request };
}

function answerInWords(answer: UpdateAnswer): string {
  const { updateId } = answer.asked;
  if ('failure' in answer) {
    const said = answer.kind === 'rejection' ? 'reject' : 'fail';
    return `${said} ${updateId}: ${answer.failure.message ?? ''}`;
  }
  if (answer.kind === 'acceptance') return `accept ${updateId}`;
  return `answer ${updateId} ${Buffer.from(answer.success.data ?? []).toString()}`;
}
