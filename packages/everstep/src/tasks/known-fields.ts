/** Options are read by name, so a field that is misspelt would be ignored without a word. */

/** `taskID is no field of it; expected taskId, delay`, to follow the name of what holds it; undefined when all are known. */
export function unknownField(value: object, known: readonly string[]): string | undefined {
  for (const field of Object.keys(value)) {
    if (!known.includes(field)) return `${field} is no field of it; expected ${known.join(', ')}`;
  }
  return undefined;
}
