/**
 * Loads a module of the user's: .ts, .js or .mjs, on every supported Node. What Node itself can import, it imports, so
 * that the module and everything it imports are the same instances as for the rest of the process: an AsyncTask made
 * there is one here. What Node cannot (TypeScript on Node 20; enums, extensionless imports, paths of a tsconfig on any)
 * goes through jiti, which hands packages back to Node.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EverstepError } from '../service/error-codes.ts';
import { spanText } from '../tasks/duration.ts';
import { isFields } from '../tasks/known-fields.ts';
import { importTranspiled } from './transpiled-module.ts';

export interface LoadOptions {
  /**
   * How long it may wait to be evaluated; 30 s by default, less the time in which the process was busy. A module may
   * await for ever at its top level.
   */
  readonly timeoutMs?: number;
}

export const loadTimeoutMs = 30_000;

/** A module's exports by name; its own, so that `'default' in exports` tells. */
export type ModuleExports = Readonly<Record<string, unknown>>;

/**
 * @throws EverstepError MODULE_LOAD_FAILED, naming the file, with what it threw as the cause.
 */
export async function loadModule(path: string, options: LoadOptions = {}): Promise<ModuleExports> {
  const file = resolve(path);
  const { timeoutMs = loadTimeoutMs } = options;
  try {
    return await within(timeoutMs, 'It was not evaluated', importFile(file));
  } catch (cause) {
    throw new EverstepError(
      'MODULE_LOAD_FAILED',
      `${file} cannot be loaded: ${messageOf(cause)}. Correct the file; it was left out.`,
      { cause },
    );
  }
}

/**
 * Settles as `work` does, or rejects when the time is over. Only time in which the event loop had nothing to do counts:
 * on a machine that is overloaded a file that awaits nothing takes as long as it takes. `work` may go on; what it
 * rejects with later is dropped.
 */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const idleBefore = performance.eventLoopUtilization().idle;
    const look = (leftMs: number): void => {
      timeout = setTimeout(() => {
        const left = idleBefore + ms - performance.eventLoopUtilization().idle;
        if (left >= 1) return look(left);
        reject(
          new EverstepError(
            'MODULE_LOAD_FAILED',
            `${what} within ${spanText(ms)}; something that is awaited there does not come`,
          ),
        );
      }, leftMs);
    };
    look(ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timeout);
  }
}

/** The words of what was thrown, which may be anything, without a full stop. */
export function messageOf(thrown: unknown): string {
  try {
    const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
    return text.trim().replace(/\.$/, '');
  } catch {
    return 'something was thrown that has no message';
  }
}

async function importFile(file: string): Promise<ModuleExports> {
  try {
    return unwrapped((await import(pathToFileURL(file).href)) as ModuleExports);
  } catch (error) {
    if (!isBeyondNode(error)) throw error;
    return importTranspiled(file);
  }
}

/**
 * Errors by which Node says that it cannot read this source, not that the source threw. Static imports are resolved and
 * parsed before anything is evaluated, so in all but odd cases nothing has run yet, and it may be loaded once more.
 */
const beyondNode: ReadonlySet<unknown> = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_INVALID_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
]);

function isBeyondNode(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && beyondNode.has(error.code)) return true;
  // An import of a type without the word `type`, a decorator; but not a JSON.parse() that failed.
  if (error instanceof SyntaxError) return !/JSON/.test(error.message);
  // `__dirname`, `require`
  return error instanceof ReferenceError && error.message.includes('ES module scope');
}

/** Of TypeScript compiled to CommonJS, Node gives all the exports as the default one. */
function unwrapped(exports: ModuleExports): ModuleExports {
  const whole = exports['default'];
  return isFields(whole) && (whole as ModuleExports)['__esModule'] === true
    ? (whole as ModuleExports)
    : exports;
}
