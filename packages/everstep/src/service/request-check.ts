/**
 * Whether what a caller hands in has the types of its message. A gRPC call is typed by its encoding; a call inside
 * the process is a plain object that TypeScript has checked, or nobody has. It says which field is wrong and what is
 * expected there, so that nothing behind it meets a number where it reads a text.
 *
 * Fields that a message does not have are ignored, as on the wire.
 */
import { types } from 'node:util';
import Long from 'long';
import { ServiceError } from './service-error.ts';

/** What protobufjs knows of a message at run time (its static types leave it out). */
export interface ReflectedMessage {
  readonly fullName: string;
  readonly fields: Readonly<Record<string, ReflectedField>>;
}
interface ReflectedField {
  resolve(): this;
  readonly type: string;
  readonly repeated: boolean;
  readonly map: boolean;
  readonly resolvedType: ReflectedMessage | { readonly values: object } | null;
}

/** What is wrong with a value, with the path to it; undefined when nothing is. */
type Check = (value: unknown, depth: number) => Problem | undefined;
interface Problem {
  readonly path: string;
  readonly found: string;
  readonly expected: string;
}

/** Deeper messages are made by mistake, such as a cause that is its own cause. */
const depthMax = 100;
const durationSecondsMax = 315_576_000_000;
const timestampSecondsMin = -62_135_596_800;
const timestampSecondsMax = 253_402_300_799;

const checks = new Map<ReflectedMessage, Check>();

/** @throws ServiceError INVALID_ARGUMENT, naming the field. */
export function checkRequest(message: ReflectedMessage, request: unknown): void {
  let problem: Problem | undefined;
  try {
    problem = messageCheck(message)(request, 0);
  } catch (cause) {
    throw new ServiceError(
      { code: 'INVALID_ARGUMENT', message: 'The request cannot be read.' },
      { cause },
    );
  }
  if (problem === undefined) return;
  const { path, found, expected } = problem;
  throw new ServiceError({
    code: 'INVALID_ARGUMENT',
    message: `${path === '' ? 'The request' : path.slice(1)} is ${found}; expected ${expected}.`,
  });
}

function messageCheck(message: ReflectedMessage): Check {
  const known = checks.get(message);
  if (known !== undefined) return known;
  const fields = new Map<string, Check>();
  const span = spanCheck(message.fullName);
  const check: Check = (value, depth) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isBytes(value)) {
      return wrong(value, 'an object');
    }
    if (depth > depthMax) return wrong(value, `at most ${depthMax} objects inside each other`);
    const record = value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(record)) {
      const field = record[name];
      if (field === undefined || field === null) continue;
      const problem = checkOf(message, fields, name)?.(field, depth + 1);
      if (problem !== undefined) return inside(`.${name}`, problem);
    }
    return span?.(value, depth);
  };
  checks.set(message, check);
  return check;
}

/** Made when a field first comes, because messages hold one another. */
function checkOf(
  message: ReflectedMessage,
  fields: Map<string, Check>,
  name: string,
): Check | undefined {
  const known = fields.get(name);
  if (known !== undefined) return known;
  if (!Object.hasOwn(message.fields, name)) return undefined;
  const field = message.fields[name]?.resolve();
  if (field === undefined) return undefined;
  const one = valueCheck(field);
  const check = field.map ? mapCheck(one) : field.repeated ? listCheck(one) : one;
  fields.set(name, check);
  return check;
}

function valueCheck({ type, resolvedType }: ReflectedField): Check {
  if (resolvedType !== null) {
    return 'fields' in resolvedType ? messageCheck(resolvedType) : scalarCheck('int32');
  }
  return scalarCheck(type);
}

function listCheck(one: Check): Check {
  return (value, depth) => {
    if (!Array.isArray(value)) return wrong(value, 'an array');
    for (let index = 0; index < value.length; index += 1) {
      const problem = one(value[index], depth);
      if (problem !== undefined) return inside(`[${index}]`, problem);
    }
    return undefined;
  };
}

function mapCheck(one: Check): Check {
  return (value, depth) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isBytes(value)) {
      return wrong(value, 'an object');
    }
    for (const [key, entry] of Object.entries(value)) {
      const problem = one(entry, depth);
      if (problem !== undefined) return inside(`[${JSON.stringify(key)}]`, problem);
    }
    return undefined;
  };
}

function scalarCheck(type: string): Check {
  switch (type) {
    case 'string':
      return (value) => (typeof value === 'string' ? undefined : wrong(value, 'a string'));
    case 'bytes':
      return (value) => (isBytes(value) ? undefined : wrong(value, 'a Uint8Array'));
    case 'bool':
      return (value) => (typeof value === 'boolean' ? undefined : wrong(value, 'a boolean'));
    case 'double':
    case 'float':
      return (value) => (typeof value === 'number' ? undefined : wrong(value, 'a number'));
    case 'int64':
    case 'sint64':
    case 'sfixed64':
    case 'uint64':
    case 'fixed64':
      return (value) =>
        isInt64(value) ? undefined : wrong(value, 'a whole number of 64 bits (a Long or a number)');
    default: {
      const [min, max] =
        type === 'uint32' || type === 'fixed32' ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
      return (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
          ? undefined
          : wrong(value, 'a whole number of 32 bits');
    }
  }
}

/** What Duration and Timestamp may hold (google/protobuf/duration.proto and timestamp.proto). */
function spanCheck(fullName: string): Check | undefined {
  const [min, max] =
    fullName === '.google.protobuf.Duration'
      ? [-durationSecondsMax, durationSecondsMax]
      : fullName === '.google.protobuf.Timestamp'
        ? [timestampSecondsMin, timestampSecondsMax]
        : [];
  if (min === undefined || max === undefined) return undefined;
  return (value) => {
    const { seconds, nanos } = value as { seconds?: Long | number | string; nanos?: number };
    const count = Number((seconds ?? 0).toString());
    if (count < min || count > max) {
      return inside('.seconds', wrong(count, `a number from ${min} to ${max}`));
    }
    if (Math.abs(nanos ?? 0) >= 1e9) {
      return inside('.nanos', wrong(nanos, 'less than a second in nanoseconds'));
    }
    return undefined;
  };
}

function isBytes(value: unknown): boolean {
  return types.isUint8Array(value);
}

function isInt64(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value === 'string') return /^-?\d{1,19}$/.test(value);
  return Long.isLong(value);
}

function inside(step: string, problem: Problem): Problem {
  return { ...problem, path: `${step}${problem.path}` };
}

function wrong(value: unknown, expected: string): Problem {
  return { path: '', found: found(value), expected };
}

function found(value: unknown): string {
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return String(value);
    case 'string':
      return `the string ${JSON.stringify(value.slice(0, 40))}`;
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'an array';
      return isBytes(value) ? 'a Uint8Array' : 'an object';
    case 'undefined':
      return 'undefined';
    default:
      return `a ${typeof value}`;
  }
}
