/** The async tasks of an integration: what `createAsyncTasks()` of its object gives. */
import { EverstepError } from '../service/error-codes.ts';
import type { AnyAsyncTask } from '../component/async-task-component.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { shown } from '../tasks/duration.ts';
import type { IntegrationFolder } from './integration-folder.ts';
import { loadModule, messageOf, within, type ModuleExports } from './load-module.ts';

/** What an integration's object may have: the default export of its index, or what that factory returns. */
export interface AsyncTaskProvider {
  createAsyncTasks?(): readonly AnyAsyncTask[] | Promise<readonly AnyAsyncTask[]>;
}

/**
 * Loads the folder's index and asks it for its tasks; undefined where it does not provide any.
 *
 * @throws EverstepError MODULE_LOAD_FAILED, INTEGRATION_INVALID.
 */
export async function createdTasks(
  { name, indexPath }: IntegrationFolder,
  timeoutMs: number,
): Promise<readonly AnyAsyncTask[] | undefined> {
  if (indexPath === undefined) return undefined;
  const exports = await loadModule(indexPath, { timeoutMs });
  const where = `Integration "${name}": ${indexPath}`;
  if (Object.keys(exports).length === 0) {
    throw invalid(
      `${where} exports nothing; expected an object with createAsyncTasks() as its default export`,
    );
  }
  const ask = async (): Promise<unknown> => {
    const provider = await providerOf(exports, where);
    const create = provider?.createAsyncTasks;
    if (provider === undefined || create === undefined) return undefined;
    if (typeof create !== 'function') {
      throw invalid(`${where}: createAsyncTasks is ${shown(create)}; expected a function`);
    }
    return (await (create.call(provider) as unknown)) ?? null;
  };
  let given: unknown;
  try {
    given = await within(timeoutMs, 'createAsyncTasks() did not answer', ask());
  } catch (cause) {
    if (cause instanceof EverstepError && cause.code === 'INTEGRATION_INVALID') throw cause;
    throw invalid(`${where}: its tasks were not created: ${messageOf(cause)}`, cause);
  }
  return given === undefined ? undefined : checkedTasks(given, `${where}: createAsyncTasks()`);
}

/**
 * A list of tasks, each of another name.
 *
 * @throws EverstepError INTEGRATION_INVALID; `where` says whose they are.
 */
export function checkedTasks(given: unknown, where: string): readonly AnyAsyncTask[] {
  if (!Array.isArray(given)) {
    throw invalid(`${where} gave ${shown(given)}; expected a list of AsyncTask`);
  }
  const tasks = Array.from(given as readonly unknown[]);
  const names = new Set<string>();
  for (const [index, task] of tasks.entries()) {
    if (!(task instanceof AsyncTask)) {
      throw invalid(`${where} gave ${notTask(task)} in place ${index}; expected an AsyncTask`);
    }
    const name = task.getName();
    if (names.has(name)) {
      throw new EverstepError(
        'DUPLICATE_NAME',
        `${where} gave two tasks named "${name}"; each needs a name of its own.`,
      );
    }
    names.add(name);
  }
  return tasks as readonly AnyAsyncTask[];
}

/** The object that provides, if the index has one. A named `createAsyncTasks` needs no factory to be called. */
async function providerOf(
  exports: ModuleExports,
  where: string,
): Promise<Readonly<Record<'createAsyncTasks', unknown>> | undefined> {
  if ('createAsyncTasks' in exports) return exports as { createAsyncTasks: unknown };
  if (!('default' in exports)) return undefined;
  const given = exports['default'];
  const object: unknown = typeof given === 'function' ? await made(given) : await given;
  if (typeof object === 'object' && object !== null) return object as { createAsyncTasks: unknown };
  throw invalid(
    typeof given === 'function'
      ? `${where}: the factory that is its default export returned ${shown(object)}; expected the integration's object`
      : `${where}: its default export is ${shown(object)}; expected the integration's object, or a function that returns it`,
  );
}

/** Of a factory or a class. */
function made(factory: object): unknown {
  return /^class\b/.test(Function.prototype.toString.call(factory))
    ? new (factory as new () => unknown)()
    : (factory as () => unknown)();
}

function notTask(value: unknown): string {
  let isOfAnotherCopy = false;
  try {
    isOfAnotherCopy = (value as AnyAsyncTask | null)?.constructor.name === 'AsyncTask';
  } catch {
    // A value that cannot even be looked at is no task.
  }
  return isOfAnotherCopy
    ? 'an AsyncTask of another copy of everstep (two are installed: see `npm ls everstep`)'
    : shown(value);
}

function invalid(problem: string, cause?: unknown): EverstepError {
  return new EverstepError('INTEGRATION_INVALID', `${problem}.`, { cause });
}
