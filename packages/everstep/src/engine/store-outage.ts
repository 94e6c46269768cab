/**
 * What is said of a store that cannot be used for a while: a line when it goes and a line when it is back, however many
 * writes and looks fail meanwhile. Each of those is told to whoever asked for it, or tried again.
 */
import type { LogFields, Logger } from '../service/logger.ts';
import { StoreError, type StoreErrorCode } from '../store/store.ts';

/** What passes without anything being changed here, and befalls whatever is asked meanwhile. */
const passing: ReadonlySet<StoreErrorCode> = new Set<StoreErrorCode>([
  'STORE_UNREACHABLE',
  'STORE_BUSY',
  'STORE_DISK_FULL',
  'STORE_NOT_WRITABLE',
  'STORE_ACCESS_DENIED',
]);
/** Looks around, one a second, that find nothing wrong before it is taken for over. */
const quietLooks = 3;
const causesMax = 4;

export class StoreOutage {
  /** Through which the engine speaks: passes on all but what the lines of an outage have said. */
  readonly logger: Logger;
  readonly #logger: Logger;
  /** Of the outage that goes on. */
  readonly #told = new Set<StoreErrorCode>();
  #failures = 0;
  #quiet = 0;
  #written = true;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.logger = {
      debug: (message, fields) => logger.debug(message, fields),
      info: (message, fields) => logger.info(message, fields),
      warn: (message, fields) => this.#say('warn', message, fields),
      error: (message, fields) => this.#say('error', message, fields),
    };
  }

  /** Something was written. */
  wrote(): void {
    this.#written = true;
  }

  /** A look around came to its end. */
  looked(): void {
    if (this.#told.size === 0) return;
    this.#quiet += 1;
    // Reads, and the smallest of writes, find room on a disk that is full.
    if (this.#quiet < quietLooks || (this.#told.has('STORE_DISK_FULL') && !this.#written)) return;
    this.#logger.warn('The store can be used again', { failures: this.#failures });
    this.#told.clear();
    this.#failures = 0;
  }

  #say(level: 'warn' | 'error', message: string, fields: LogFields | undefined): void {
    const trouble = storeErrorIn(fields?.['error']);
    if (trouble === undefined || !passing.has(trouble.code)) {
      this.#logger[level](message, fields);
      return;
    }
    this.#failures += 1;
    this.#quiet = 0;
    this.#written = false;
    if (this.#told.has(trouble.code)) {
      this.#logger.debug(message, fields);
      return;
    }
    this.#told.add(trouble.code);
    this.#logger[level](
      'The store cannot be used for now. Calls are refused as unavailable, and what is under way goes on when it can be used again, which is said then',
      { error: trouble, first: message },
    );
  }
}

function storeErrorIn(error: unknown): StoreError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < causesMax; depth += 1) {
    if (at instanceof StoreError) return at;
    at = at.cause;
  }
  return undefined;
}
