/** The logger of who brings none: one line of text a message, on standard error. */
import type { LogFields, Logger } from '../service/logger.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

export function stderrLogger(
  least: LogLevel,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      if (levels.indexOf(level) < levels.indexOf(least)) return;
      write(`everstep ${level}: ${message}${fieldsText(fields)}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function fieldsText(fields: LogFields | undefined): string {
  return Object.entries(fields ?? {})
    .map(([name, value]) => ` ${name}=${valueText(value)}`)
    .join('');
}

/** A line is written whatever its values are. */
function valueText(value: unknown): string {
  try {
    if (value instanceof Error) return value.stack ?? value.message;
    if (typeof value === 'string') return value;
    return jsonText(value) ?? String(value);
  } catch {
    return '?';
  }
}

function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
