/** A logger for an example in which things go wrong all the time: what is tried again is not told. */
import type { Logger } from 'everstep';

export const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) => console.error(message, fields ?? ''),
};
