/** The logger of whoever brings one, which may fail: what it throws must take nothing down with it. */
import type { LogFields, Logger } from '../service/logger.ts';
import { stderrLogger } from './stderr-logger.ts';

/** The methods are called on the logger itself. The first line that is lost goes to `fallback`, with what was thrown. */
export function guardedLogger(logger: Logger, fallback: Logger = stderrLogger('debug')): Logger {
  let told = false;
  const lost = (line: LogFields, error: unknown): void => {
    if (told) return;
    told = true;
    fallback.error(
      'The logger failed, and the line was lost; this is told once. A method taken off its object must be bound to it',
      { ...line, error },
    );
  };
  const at =
    (level: keyof Logger) =>
    (message: string, fields?: LogFields): void => {
      const line = { level, message };
      try {
        // An async method is a void one to the types, and its rejection would end the process.
        const returned: unknown = fields ? logger[level](message, fields) : logger[level](message);
        if (returned instanceof Promise) {
          returned.catch((error: unknown) => {
            lost(line, error);
          });
        }
      } catch (error) {
        lost(line, error);
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
