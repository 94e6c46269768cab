/** The line of the user's code that called into its context. Taking the mark is cheap; only reading it costs. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export function markCaller(): { readonly stack?: string } {
  const mark = {};
  Error.captureStackTrace(mark, markCaller);
  return mark;
}

/** `file:line:column` of the first frame that is not of this folder; undefined where there is none. */
export function callerLine(mark: { readonly stack?: string } | undefined): string | undefined {
  for (const frame of mark?.stack?.split('\n').slice(1) ?? []) {
    const [, place = ''] = /\(?((?:file:|\/|[A-Za-z]:\\).*:\d+:\d+)\)?$/.exec(frame.trim()) ?? [];
    const [, file = '', at = ''] = /^(.*?)(:\d+:\d+)$/.exec(place) ?? [];
    if (file === '') continue;
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    if (path.startsWith(here) && !/\.test\.[jt]s$/.test(path)) continue;
    return path + at;
  }
  return undefined;
}
