/** Options are read by name, so a field that is misspelt would be ignored without a word. */

const fieldless: ReadonlySet<string> = new Set(['Date', 'Map', 'Set', 'RegExp', 'Promise']);

/** Lists, dates and the like have no field of a name, so each would pass as options that say nothing. */
export function isFields(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !fieldless.has(Object.prototype.toString.call(value).slice(8, -1));
}

/** `taskID is no field of it; expected taskId, delay`, to follow the name of what holds it; undefined when all are known. */
export function unknownField(value: object, known: readonly string[]): string | undefined {
  for (const field of Object.keys(value)) {
    if (!known.includes(field)) return `${field} is no field of it; expected ${known.join(', ')}`;
  }
  return undefined;
}
