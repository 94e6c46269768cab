/** What a WorkerManager is told, checked in its constructor. */
import {
  resolveOptions,
  shown,
  type AsyncTaskComponentOptions,
  type Environment,
  type ResolvedOptions,
} from '../component/component-options.ts';
import { EverstepError } from '../service/error-codes.ts';
import { parseDuration, type Duration } from '../tasks/duration.ts';
import { isFields, unknownField } from '../tasks/known-fields.ts';
import type { RestartOptions } from './restart-backoff.ts';

export interface WorkerManagerOptions extends Omit<AsyncTaskComponentOptions, 'worker'> {
  /** `'process'`: each integration in a process of its own. `'none'` by default: all in this one. */
  readonly isolation?: 'none' | 'process';
  /** True: `create` and `start` throw the first failure. False by default: failures are logged, and stand in `status()`. */
  readonly strict?: boolean;
  /** How long what runs may go on after `stop`: ms or a string; 10 s by default. */
  readonly gracePeriod?: Duration;
  /** Until what ended unasked is started again: 1 s, doubled up to 1 minute, from the beginning once it ran 1 minute. */
  readonly restart?: {
    readonly firstDelay?: Duration;
    readonly maxDelay?: Duration;
    readonly resetAfter?: Duration;
  };
  /** With isolation: MB of memory at which a process is stopped and started again. No limit by default. */
  readonly memoryMaxMb?: number;
  /** With isolation: how long a process may say nothing until it counts as stuck and is killed; 10 s by default. */
  readonly heartbeatTimeout?: Duration;
  /** With isolation: flags of Node for the processes; those of this one by default. */
  readonly execArgv?: readonly string[];
}

export interface ProcessOptions {
  readonly memoryMaxMb: number | undefined;
  readonly heartbeatTimeoutMs: number;
  readonly execArgv: readonly string[];
}

export interface ResolvedManagerOptions extends ResolvedOptions {
  readonly strict: boolean;
  readonly graceMs: number;
  readonly restart: RestartOptions;
  /** Undefined: all in this process. */
  readonly processes: ProcessOptions | undefined;
}

const ownFields = [
  'isolation',
  'strict',
  'gracePeriod',
  'restart',
  'memoryMaxMb',
  'heartbeatTimeout',
  'execArgv',
] as const;
const processFields = ['memoryMaxMb', 'heartbeatTimeout', 'execArgv'] as const;

/** @throws EverstepError COMPONENT_OPTIONS_INVALID */
export function resolveManagerOptions(
  options: WorkerManagerOptions,
  env: Environment,
): ResolvedManagerOptions {
  if (!isFields(options)) throw invalid(`the options are ${shown(options)}; expected an object`);
  if ('worker' in options) {
    throw invalid('there is no option worker; a process that submits alone needs no manager');
  }
  const { isolation = 'none', strict = false, gracePeriod, restart = {}, ...rest } = options;
  if (isolation !== 'none' && isolation !== 'process') {
    throw invalid(`isolation is ${shown(isolation)}; expected 'none' or 'process'`);
  }
  if (typeof strict !== 'boolean') throw invalid(`strict is ${shown(strict)}; expected a boolean`);
  const resolved = resolvedShared(rest, env);
  return {
    ...resolved,
    strict,
    graceMs: duration('gracePeriod', gracePeriod ?? 10_000, 0),
    restart: checkedRestart(restart),
    processes: isolation === 'process' ? checkedProcesses(options, resolved) : onlyWith(options),
  };
}

function resolvedShared(options: WorkerManagerOptions, env: Environment): ResolvedOptions {
  const shared = Object.entries(options).filter(
    ([field]) => !(ownFields as readonly string[]).includes(field),
  );
  try {
    return resolveOptions(Object.fromEntries(shared), env);
  } catch (error) {
    if (!(error instanceof EverstepError)) throw error;
    const message = error.message.replace('AsyncTaskComponent: ', 'WorkerManager: ');
    throw new EverstepError(error.code, message, { cause: error });
  }
}

function checkedRestart(restart: unknown): RestartOptions {
  if (!isFields(restart)) throw invalid(`restart is ${shown(restart)}; expected an object`);
  const odd = unknownField(restart, ['firstDelay', 'maxDelay', 'resetAfter']);
  if (odd !== undefined) throw invalid(`restart.${odd}`);
  const { firstDelay, maxDelay, resetAfter } = restart as NonNullable<
    WorkerManagerOptions['restart']
  >;
  return {
    firstDelayMs: duration('restart.firstDelay', firstDelay ?? 1_000, 1),
    delayMsMax: duration('restart.maxDelay', maxDelay ?? 60_000, 1),
    resetAfterMs: duration('restart.resetAfter', resetAfter ?? 60_000, 1),
  };
}

function onlyWith(options: WorkerManagerOptions): undefined {
  const field = processFields.find((name) => options[name] !== undefined);
  if (field === undefined) return undefined;
  throw invalid(`${field} is for processes; give isolation: 'process' with it, or leave it out`);
}

function checkedProcesses(
  { memoryMaxMb, heartbeatTimeout, execArgv = process.execArgv }: WorkerManagerOptions,
  { home, dataConverter }: ResolvedOptions,
): ProcessOptions {
  if ('store' in home && !isForProcesses(home.store)) {
    throw invalid(
      "isolation: 'process' needs tasks where several processes can reach them: store: 'sqlite:<path>', 'postgres://…' or 'mysql://…', or temporalAddress",
    );
  }
  if (dataConverter?.payloadCodecs !== undefined && dataConverter.payloadCodecs.length > 0) {
    throw invalid(
      "dataConverter.payloadCodecs cannot be handed to other processes; leave out isolation: 'process', or the codecs",
    );
  }
  if (memoryMaxMb !== undefined && !(Number.isInteger(memoryMaxMb) && memoryMaxMb >= 64)) {
    throw invalid(`memoryMaxMb is ${shown(memoryMaxMb)}; expected a whole number from 64`);
  }
  if (!Array.isArray(execArgv) || execArgv.some((flag) => typeof flag !== 'string')) {
    throw invalid(`execArgv is ${shown(execArgv)}; expected a list of flags of Node`);
  }
  return {
    memoryMaxMb,
    heartbeatTimeoutMs: duration('heartbeatTimeout', heartbeatTimeout ?? 10_000, 2_000),
    execArgv,
  };
}

/** A pool or a store object cannot be handed to another process. */
function isForProcesses(store: unknown): boolean {
  return typeof store === 'string' && /^(sqlite|postgres|postgresql|mysql|mariadb):/i.test(store);
}

function duration(field: string, value: unknown, leastMs: number): number {
  const parsed = parseDuration(value, leastMs);
  if (parsed.problem !== undefined) throw invalid(`${field} ${parsed.problem}`);
  return parsed.ms;
}

function invalid(problem: string): EverstepError {
  return new EverstepError('COMPONENT_OPTIONS_INVALID', `WorkerManager: ${problem}.`);
}
