/**
 * Random scripts. Long spans do not pass while a script runs, so nothing happens by itself: what takes time is for
 * the simulator and the engine's suite, whose clocks are theirs to set.
 */
import fc from 'fast-check';
import type {
  Action,
  ActivityAnswer,
  ActivityControl,
  BatchOperation,
  UpdateAnswer,
  Flaw,
  RetryOptions,
  Script,
  ScriptCommand,
  StartOptions,
} from './action.ts';
import { workflowsOfScript } from './actor.ts';

const workflow = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.nat(workflowsOfScript - 1) },
);
/** Mostly the same, so that what is scheduled is also taken and answered. */
const activity = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat(2) },
);
const timer = fc.nat(1);
const span = fc.constantFrom(100, 500, 3_000, 100_000);

/** Present with that chance in a hundred. */
export function sometimes<T>(
  percent: number,
  arbitrary: fc.Arbitrary<T>,
): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: percent, arbitrary },
    { weight: 100 - percent, arbitrary: fc.constant(undefined) },
  );
}

/** A record without its undefined fields. */
export function fields<T>(model: {
  [K in keyof T]-?: fc.Arbitrary<T[K] | undefined>;
}): fc.Arbitrary<T> {
  return fc
    .record(model as { [K in keyof T]: fc.Arbitrary<T[K]> })
    .map(
      (made) =>
        Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined)) as T,
    );
}

const retry = fields<RetryOptions>({
  attempts: fc.constantFrom(0, 1, 2, 3),
  intervalSeconds: fc.constantFrom(1_000, 2_000),
  coefficient: sometimes(40, fc.constantFrom(1, 1.5, 3)),
  maximumSeconds: sometimes(40, fc.constantFrom(2_000, 5_000)),
  nonRetryable: sometimes(30, fc.constant(['Listed'])),
});
const badRetry = fc.constantFrom<RetryOptions>(
  { attempts: -1, intervalSeconds: 10 },
  { attempts: 2, intervalSeconds: -1 },
  { attempts: 2, intervalSeconds: 10, coefficient: 0.5 },
  { attempts: 2, intervalSeconds: 10, maximumSeconds: 5 },
  { attempts: 2, intervalSeconds: 10, maximumSeconds: -5 },
);
const retries = fc.oneof({ weight: 12, arbitrary: retry }, { weight: 1, arbitrary: badRetry });
const cron = fc.constantFrom('0 0 1 1 *', '@yearly', 'CRON_TZ=Europe/Berlin 0 3 1 1 *');
const crons = fc.oneof(
  { weight: 4, arbitrary: cron },
  { weight: 1, arbitrary: fc.constant('never') },
);

function flaws(...flaw: Flaw[]): fc.Arbitrary<Flaw | undefined> {
  return sometimes(4, fc.constantFrom(...flaw));
}

const activityCommand = fields<Extract<ScriptCommand, { command: 'scheduleActivity' }>>({
  command: fc.constant('scheduleActivity' as const),
  activity,
  scheduleToClose: sometimes(40, span),
  scheduleToStart: sometimes(25, span),
  startToClose: sometimes(85, span),
  heartbeat: sometimes(25, span),
  retry: sometimes(45, retry),
  flaw: flaws('noId', 'noType', 'noTimeout', 'negative', 'longId'),
});

const openCommand: fc.Arbitrary<ScriptCommand> = fc.oneof(
  { weight: 8, arbitrary: activityCommand },
  {
    weight: 3,
    arbitrary: fc.record({ command: fc.constant('cancelActivity' as const), pick: fc.nat(3) }),
  },
  {
    weight: 4,
    arbitrary: fields<Extract<ScriptCommand, { command: 'startTimer' }>>({
      command: fc.constant('startTimer' as const),
      timer,
      seconds: span,
      flaw: flaws('noId', 'noTimeout', 'negative', 'longId'),
    }),
  },
  {
    weight: 3,
    arbitrary: fields<Extract<ScriptCommand, { command: 'cancelTimer' }>>({
      command: fc.constant('cancelTimer' as const),
      timer,
      flaw: flaws('noId'),
    }),
  },
  {
    weight: 3,
    arbitrary: fields<Extract<ScriptCommand, { command: 'startChild' }>>({
      command: fc.constant('startChild' as const),
      workflow,
      parentClosePolicy: fc.nat(3),
      reusePolicy: fc.nat(3),
      runTimeout: sometimes(30, span),
      retry: sometimes(20, retry),
      cron: sometimes(8, cron),
      flaw: flaws('noId', 'noType', 'negative', 'longId'),
    }),
  },
  {
    weight: 3,
    arbitrary: fields<Extract<ScriptCommand, { childOnly: boolean }>>({
      command: fc.constantFrom('signalExternal' as const, 'cancelExternal' as const),
      workflow,
      childOnly: sometimes(25, fc.constant(true)).map((value) => value ?? false),
      flaw: flaws('noId', 'noType', 'longId'),
    }),
  },
  {
    weight: 2,
    arbitrary: fields<Extract<ScriptCommand, { command: 'marker' }>>({
      command: fc.constant('marker' as const),
      flaw: flaws('noId', 'longId'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ command: fc.constant('completeUpdate' as const), pick: fc.nat(2) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      command: fc.constant('upsertMemo' as const),
      key: fc.nat(1),
      empty: sometimes(15, fc.constant(true)).map((value) => value ?? false),
    }),
  },
  {
    weight: 1,
    arbitrary: fields<Extract<ScriptCommand, { command: 'upsertAttributes' }>>({
      command: fc.constant('upsertAttributes' as const),
      key: fc.nat(1),
      flaw: flaws('noId', 'reserved'),
    }),
  },
);

const closeCommand: fc.Arbitrary<ScriptCommand> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ command: fc.constant('complete' as const), empty: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fields<Extract<ScriptCommand, { command: 'fail' }>>({
      command: fc.constant('fail' as const),
      nonRetryable: fc.boolean(),
      flaw: flaws('noId'),
    }),
  },
  { weight: 1, arbitrary: fc.constant<ScriptCommand>({ command: 'cancel' }) },
  {
    weight: 2,
    arbitrary: fields<Extract<ScriptCommand, { command: 'continueAsNew' }>>({
      command: fc.constant('continueAsNew' as const),
      bare: fc.boolean(),
      backoffSeconds: sometimes(10, fc.constant(3_000)),
      retry: sometimes(20, retry),
      cron: sometimes(8, cron),
      flaw: flaws('noType', 'negative'),
    }),
  },
);

const commands = fc
  .tuple(
    fc.array(openCommand, { maxLength: 4 }),
    sometimes(12, closeCommand),
    sometimes(3, openCommand),
  )
  .map(([open, close, after]) =>
    close
      ? [...open.filter((one) => !isMessage(one)), close, ...(after ? [after] : [])]
      : oneMessage(open),
  );

/** Two messages of one workflow task may arrive in either order; those of a run that closes, perhaps not at all. */
function oneMessage(list: readonly ScriptCommand[]): ScriptCommand[] {
  const first = list.findIndex(isMessage);
  return list.filter((command, index) => index === first || !isMessage(command));
}

function isMessage({ command }: ScriptCommand): boolean {
  return /^startChild$|External$/.test(command);
}

const startOptions = fields<StartOptions>({
  requestId: sometimes(25, fc.nat(1)),
  reusePolicy: sometimes(40, fc.nat(4)),
  conflictPolicy: sometimes(30, fc.nat(3)),
  delaySeconds: sometimes(6, fc.constant(5_000)),
  executionTimeout: sometimes(20, span),
  runTimeout: sometimes(20, span),
  taskTimeout: sometimes(6, fc.constantFrom(60, 500)),
  retry: sometimes(20, retries),
  cron: sometimes(6, crons),
  memo: sometimes(15, fc.constant(true)),
  attributes: sometimes(10, fc.constant(true)),
  header: sometimes(10, fc.constant(true)),
  flaw: flaws('noId', 'noType', 'negative', 'longId', 'reserved'),
});

/** The server ends its own run when a signal-with-start that terminates is repeated. */
function withoutRepetition({ requestId, ...options }: StartOptions): StartOptions {
  const terminates = options.reusePolicy === 4 || options.conflictPolicy === 3;
  return terminates || requestId === undefined ? options : { ...options, requestId };
}

const run = sometimes(12, fc.nat(2));
/** Mostly the latest token. */
const token = fc.oneof(
  { weight: 20, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2) },
);
const answer = fc.constantFrom<ActivityAnswer>(
  'complete',
  'complete',
  'fail',
  'cancel',
  'heartbeat',
);

function always<A extends Action>(action: fc.Arbitrary<A>): fc.Arbitrary<Action[]> {
  return action.map((one) => [one]);
}

const completeTask = fields<Extract<Action, { do: 'completeTask' }>>({
  do: fc.constant('completeTask' as const),
  workflow,
  commands,
  force: sometimes(12, fc.constant(true)).map((value) => value ?? false),
  returnNew: sometimes(12, fc.constant(true)).map((value) => value ?? false),
  token,
  sticky: sometimes(25, fc.constant(true)),
});

const answerActivity = fields<Extract<Action, { do: 'answerActivity' }>>({
  do: fc.constant('answerActivity' as const),
  workflow,
  activity,
  answer,
  byId: sometimes(20, fc.constant(true)).map((value) => value ?? false),
  token,
  failure: fc.nat(4),
});

const controlActivity = fc.record({
  do: fc.constant('controlActivity' as const),
  workflow,
  activity,
  control: fc.constantFrom<ActivityControl>(
    'pause',
    'pause',
    'unpause',
    'unpause',
    'reset',
    'updateOptions',
    'restoreOptions',
  ),
  byType: sometimes(20, fc.constant(true)).map((value) => value ?? false),
  first: fc.boolean(),
  second: fc.boolean(),
});

const update = fields<Extract<Action, { do: 'update' }>>({
  do: fc.constant('update' as const),
  workflow,
  update: fc.nat(2),
  answer: fc.constantFrom<UpdateAnswer>('complete', 'complete', 'accept', 'reject'),
  stage: fc.constantFrom(2, 3, 3),
  run,
  flaw: flaws('noType', 'longId'),
});

const batch = fc.record({
  do: fc.constant('batch' as const),
  workflow,
  all: fc.boolean(),
  operation: fc.constantFrom<BatchOperation>(
    'terminate',
    'cancel',
    'signal',
    'signal',
    'delete',
    'reset',
  ),
  byQuery: fc.boolean(),
});

const part: fc.Arbitrary<Action[]> = fc.oneof(
  {
    weight: 3,
    arbitrary: always(
      fc.record({ do: fc.constant('start' as const), workflow, options: startOptions }),
    ),
  },
  {
    weight: 2,
    arbitrary: always(
      fc.record({
        do: fc.constant('signalWithStart' as const),
        workflow,
        options: startOptions.map(withoutRepetition),
        signal: fc.nat(1),
      }),
    ),
  },
  // A whole turn of a worker, and its halves.
  {
    weight: 12,
    arbitrary: completeTask.map((turn): Action[] => [
      { do: 'poll', workflow: turn.workflow },
      turn,
    ]),
  },
  { weight: 4, arbitrary: always(fc.record({ do: fc.constant('poll' as const), workflow })) },
  { weight: 4, arbitrary: always(completeTask) },
  {
    weight: 2,
    arbitrary: always(
      fc.record({
        do: fc.constant('failTask' as const),
        workflow,
        cause: fc.constantFrom(0, 1, 14, 15, 24),
        token,
      }),
    ),
  },
  {
    weight: 8,
    arbitrary: answerActivity.map((step): Action[] => [
      { do: 'pollActivity', workflow: step.workflow, activity: step.activity },
      step,
    ]),
  },
  {
    weight: 3,
    arbitrary: always(fc.record({ do: fc.constant('pollActivity' as const), workflow, activity })),
  },
  { weight: 3, arbitrary: always(answerActivity) },
  { weight: 5, arbitrary: always(controlActivity) },
  {
    weight: 6,
    arbitrary: always(
      fields<Extract<Action, { do: 'signal' }>>({
        do: fc.constant('signal' as const),
        workflow,
        signal: fc.nat(1),
        requestId: sometimes(50, fc.nat(1)),
        run,
        flaw: flaws('noId', 'longId'),
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: always(
      fields<Extract<Action, { do: 'cancel' }>>({
        do: fc.constant('cancel' as const),
        workflow,
        requestId: sometimes(30, fc.nat(1)),
        run,
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: always(
      fields<Extract<Action, { do: 'terminate' }>>({
        do: fc.constant('terminate' as const),
        workflow,
        run,
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: always(
      fields<Extract<Action, { do: 'reset' }>>({
        do: fc.constant('reset' as const),
        workflow,
        pick: fc.nat(30),
        requestId: sometimes(20, fc.nat(1)),
        reapply: fc.nat(3),
        run: sometimes(25, fc.nat(2)),
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: always(
      fc.record({
        do: fc.constant('query' as const),
        workflow,
        reject: fc.nat(3),
        fails: fc.boolean(),
      }),
    ),
  },
  { weight: 4, arbitrary: always(update) },
  {
    weight: 1,
    arbitrary: always(
      fields<Extract<Action, { do: 'pollUpdate' }>>({
        do: fc.constant('pollUpdate' as const),
        workflow,
        update: fc.nat(2),
        run,
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: always(
      fields<Omit<Extract<Action, { do: 'delete' }>, 'do'>>({ workflow, run }).chain((which) =>
        fc.constantFrom<Action>({ do: 'delete', ...which }, { do: 'resetSticky', ...which }),
      ),
    ),
  },
  {
    weight: 2,
    arbitrary: always(
      fields<Extract<Action, { do: 'history' }>>({
        do: fc.constant('history' as const),
        workflow,
        pageSize: fc.constantFrom(0, 1, 3, 5),
        reverse: fc.boolean(),
        closeOnly: fc.boolean(),
        run,
      }),
    ),
  },
);

/** The reference model knows no batches. */
const partOrBatch = fc.oneof(
  { weight: 40, arbitrary: part },
  { weight: 1, arbitrary: always(batch) },
);

/** One action of a client or a worker, or two that belong together. */
export { part as scriptPart };

export const opening = fc
  .record({
    do: fc.constant('start' as const),
    workflow: fc.constant(0),
    options: startOptions,
  })
  .map((action): Action[] => [action]);

export const anyScript: fc.Arbitrary<Script> = fc
  .tuple(opening, fc.array(partOrBatch, { minLength: 4, maxLength: 24 }))
  .map(([first, rest]) => comparable([...first, ...rest.flat()]));

/** A run that continues as new before its delay is over waits for it on the server. */
function comparable(script: Script): Script {
  const delayed = script.some((action) => 'options' in action && action.options.delaySeconds);
  if (!delayed) return script;
  return script.map((action) =>
    action.do === 'completeTask'
      ? { ...action, commands: action.commands.filter((one) => one.command !== 'continueAsNew') }
      : action,
  );
}
