/** What the handler of one workflow command is given and answers. The table of handlers is commands.ts. */
import type { DispatchTask } from './input.ts';
import type { Draft } from './draft.ts';
import type { Command, UpdateMessage, WorkflowTaskFailedCause } from './proto.ts';

export interface CommandContext {
  readonly workflowTaskCompletedEventId: number;
  readonly identity: string;
  /** AC-16: a handler adds the activity it dispatched here when its command asked for eager start. */
  readonly eagerActivities: DispatchTask[];
  /** What the worker says of updates, by message id; a command takes out the one it names. */
  readonly messages: Map<string, UpdateMessage>;
  /** WT-22: a handler sets it when the worker needs a new task though nothing was buffered. */
  newTaskNeeded: boolean;
}

/** Why a command cannot be applied: the workflow task fails and every command is rolled back (WT-19). */
export interface CommandProblem {
  readonly cause: WorkflowTaskFailedCause;
  readonly message: string;
  /** WT-20: the run is terminated instead. */
  readonly terminate?: boolean;
}

export type CommandHandler = (
  draft: Draft,
  command: Command,
  context: CommandContext,
) => CommandProblem | undefined;
