/**
 * The Standard Schema interface, version 1, declared structurally: zod, valibot, arktype and others have it, and
 * nobody must install one (https://standardschema.dev).
 */
import { EverstepError } from '../service/error-codes.ts';
import { shown } from './duration.ts';

export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] };

export interface StandardSchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as { readonly '~standard'?: unknown })['~standard'];
  return (
    typeof standard === 'object' &&
    standard !== null &&
    (standard as { readonly version?: unknown }).version === 1 &&
    typeof (standard as { readonly validate?: unknown }).validate === 'function'
  );
}

/** `params.user.email: must be an address; params.size: …`, places relative to `root`. */
export function issuesText(root: string, issues: readonly StandardSchemaIssue[]): string {
  return issues
    .map(({ message, path }) => {
      const place = (path ?? []).map((part) =>
        placePart(typeof part === 'object' ? part.key : part),
      );
      return `${root}${place.join('')}: ${message}`;
    })
    .join('; ');
}

/** `.name`, or `[0]`, or `["odd name"]`. */
export function placePart(key: PropertyKey): string {
  if (typeof key === 'number' || (typeof key === 'string' && /^\d+$/.test(key))) return `[${key}]`;
  if (typeof key === 'string' && /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)) return `.${key}`;
  return `[${JSON.stringify(String(key))}]`;
}

/**
 * Parameters as the schema parses them; defaults and coercions hold.
 *
 * @throws EverstepError TASK_PARAMS_INVALID naming each place.
 */
export async function parseParams(
  taskName: string,
  schema: StandardSchema | undefined,
  params: unknown,
): Promise<unknown> {
  if (schema === undefined) return params;
  let result: StandardSchemaResult<unknown>;
  try {
    const validated = schema['~standard'].validate(params);
    result = validated instanceof Promise ? await validated : validated;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : shown(cause);
    throw new EverstepError(
      'TASK_PARAMS_INVALID',
      `The schema of task "${taskName}" threw instead of answering: ${message}. Nothing was started.`,
      { cause },
    );
  }
  if (result.issues === undefined) return result.value;
  throw new EverstepError(
    'TASK_PARAMS_INVALID',
    `The schema of task "${taskName}" refused the parameters: ${issuesText('params', result.issues)}.`,
  );
}
