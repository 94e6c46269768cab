/** Field masks of updates: which of the fields that can be updated one names. */
import { invalid } from './verbs/request-run.ts';

/** Masks name fields as the wire does, `retry_policy.maximum_attempts`, or in camel case. */
export function maskedFields<Field extends string>(
  paths: readonly string[] | null | undefined,
  fields: readonly Field[],
): Field[] {
  return (paths ?? []).map((path) => {
    const name = path.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    const field = fields.find((known) => known === name);
    if (field !== undefined) return field;
    throw invalid(
      `UpdateMask names ${path}, which is no option that can be updated; expected ${fields.join(', ')}.`,
    );
  });
}
