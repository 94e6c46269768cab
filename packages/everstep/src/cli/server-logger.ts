/** What a server says, on standard error: a line a message, as text or JSON. */
import { stderrLogger } from '../component/stderr-logger.ts';
import type { LogFields, Logger } from '../service/logger.ts';

export const logFormats = ['text', 'json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];
export const logLevels = ['debug', 'info', 'warn', 'error', 'never'] as const;
export type LogLevelName = (typeof logLevels)[number];

export function serverLogger(format: LogFormat, least: LogLevelName): Logger {
  if (least === 'never') return silent;
  return format === 'json' ? jsonLogger(least) : stderrLogger(least);
}

function nothing(): void {}
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function jsonLogger(least: Exclude<LogLevelName, 'never'>): Logger {
  const at =
    (level: Exclude<LogLevelName, 'never'>) =>
    (msg: string, fields?: LogFields): void => {
      if (logLevels.indexOf(level) < logLevels.indexOf(least)) return;
      const time = new Date().toISOString();
      process.stderr.write(`${JSON.stringify({ level, time, msg, ...fields }, errorsShown)}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function errorsShown(_key: string, value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}
