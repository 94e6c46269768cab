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

/** How a refusal names what it is about. */
interface Parsed {
  readonly code: 'TASK_PARAMS_INVALID' | 'WORKFLOW_INPUT_INVALID';
  /** `task "resize"` */
  readonly of: string;
  readonly what: 'parameters' | 'input';
  /** Before the path of an issue. */
  readonly root: 'params' | 'input';
}

/**
 * A value as the schema parses it; defaults and coercions hold.
 *
 * @throws EverstepError with that code, naming each place.
 */
export async function parseBySchema(
  schema: StandardSchema | undefined,
  value: unknown,
  { code, of, what, root }: Parsed,
): Promise<unknown> {
  if (schema === undefined) return value;
  let result: StandardSchemaResult<unknown>;
  try {
    result = await schema['~standard'].validate(value);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : shown(cause);
    throw new EverstepError(
      code,
      `The schema of ${of} threw instead of answering: ${message}. Nothing was started.`,
      { cause },
    );
  }
  if (result.issues === undefined) return result.value;
  throw new EverstepError(
    code,
    `The schema of ${of} refused the ${what}: ${issuesText(root, result.issues)}.`,
  );
}
