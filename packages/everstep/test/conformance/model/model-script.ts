/** Random scripts of what the model knows, in which time passes. */
import fc from 'fast-check';
import type { Action, ScriptCommand, StartOptions } from '../scripts/action.ts';
import { opening, scriptPart } from '../scripts/script-arbitrary.ts';
import type { ModelStep } from './model-comparison.ts';

const passing: fc.Arbitrary<ModelStep[]> = fc
  .constantFrom(1, 40, 101, 111, 160, 520, 220, 1_005)
  .map((seconds) => [{ do: 'advance', seconds }]);

export const modelScript: fc.Arbitrary<readonly ModelStep[]> = fc
  .tuple(
    opening,
    fc.array(fc.oneof({ weight: 8, arbitrary: scriptPart }, { weight: 1, arbitrary: passing }), {
      minLength: 4,
      maxLength: 24,
    }),
  )
  .map(([first, rest]) =>
    [...first, ...rest.flat()].flatMap((step): readonly ModelStep[] =>
      step.do === 'advance' ? [step] : known(step),
    ),
  );

/** The action as the model knows it, or none. */
function known(action: Action): Action[] {
  switch (action.do) {
    case 'reset':
    case 'delete':
    case 'query':
    case 'update':
    case 'pollUpdate':
    case 'resetSticky':
    case 'history':
    case 'controlActivity':
    case 'batch':
      return [];
    case 'start':
    case 'signalWithStart':
      return [{ ...action, options: knownStart(action.options) }];
    case 'completeTask': {
      const { sticky: _sticky, ...rest } = action;
      return [{ ...rest, commands: action.commands.flatMap(knownCommand) }];
    }
    case 'failTask':
      // Unhandled command is a cause that the server gives; workers give it too, and mean nothing by it.
      return [{ ...action, cause: action.cause === 1 ? 0 : action.cause }];
    default:
      return [action];
  }
}

function knownStart({ cron: _cron, ...options }: StartOptions): StartOptions {
  return {
    ...options,
    ...(options.runTimeout && { runTimeout: options.runTimeout + 31 }),
    ...(options.executionTimeout && { executionTimeout: options.executionTimeout + 37 }),
  };
}

/** Each kind of span is made a little longer in its own way, so that no two of one task end at once. */
function knownCommand(command: ScriptCommand): ScriptCommand[] {
  switch (command.command) {
    case 'scheduleActivity': {
      const { scheduleToClose, scheduleToStart, startToClose, heartbeat, activity } = command;
      const own = activity * 100;
      return [
        {
          ...command,
          ...(scheduleToClose && { scheduleToClose: scheduleToClose + own + 41 }),
          ...(scheduleToStart && { scheduleToStart: scheduleToStart + own + 43 }),
          ...(startToClose && { startToClose: startToClose + own + 47 }),
          ...(heartbeat && { heartbeat: heartbeat + own + 53 }),
        },
      ];
    }
    case 'startTimer':
      if (command.flaw === 'noTimeout') return [];
      return [{ ...command, seconds: command.seconds + command.timer * 7 + 3 }];
    case 'startChild': {
      const { cron: _cron, ...rest } = command;
      return [{ ...rest, ...(rest.runTimeout && { runTimeout: rest.runTimeout + 29 }) }];
    }
    case 'continueAsNew': {
      const { cron: _cron, ...rest } = command;
      return [rest];
    }
    case 'completeUpdate':
      return [];
    case 'upsertMemo':
      return command.empty ? [] : [command];
    case 'upsertAttributes':
      return command.flaw ? [] : [command];
    default:
      return [command];
  }
}
