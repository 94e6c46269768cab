/**
 * What JSON would drop, garble or refuse of a value, with its place. Checked for parameters, memos and results: what
 * vanishes on the way is a bug found late. The walk is on the hot path: places are named only once one is to blame.
 */
import { RawValue } from '@temporalio/common';
import { shown } from './duration.ts';
import { placePart } from './standard-schema.ts';
import { Operation } from './steps.ts';

const levelsMax = 1000;

/** Of a list's empty place, which JSON writes as null: a result of `all` has one for each step without a value. */
export type Gaps = 'refused' | 'taken';

/** The first place whose value does not survive: `params.user.callback is a function`; undefined when all is well. */
export function serializationProblem(value: unknown, root: string, gaps: Gaps): string | undefined {
  if (value instanceof Uint8Array || value instanceof RawValue) return undefined;
  return typeof value === 'object' && value !== null
    ? new Walk(root, gaps).problem(value)
    : scalarProblem(value, () => root);
}

function scalarProblem(value: unknown, place: () => string): string | undefined {
  switch (typeof value) {
    case 'function':
      return `${place()} is a function`;
    case 'symbol':
      return `${place()} is a symbol`;
    case 'bigint':
      return `${place()} is a BigInt`;
    case 'number':
      return Number.isFinite(value)
        ? undefined
        : `${place()} is ${value}, which JSON writes as null`;
    default:
      return undefined;
  }
}

class Walk {
  readonly #root: string;
  readonly #gaps: Gaps;
  readonly #ancestors: object[] = [];
  /** Where the walk is, below the root. */
  readonly #keys: (string | number)[] = [];

  constructor(root: string, gaps: Gaps) {
    this.#root = root;
    this.#gaps = gaps;
  }

  #place(depth: number): string {
    return this.#root + this.#keys.slice(0, depth).map(placePart).join('');
  }

  #here(): string {
    return this.#place(this.#keys.length);
  }

  problem(value: object): string | undefined {
    try {
      return this.object(value);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : shown(cause);
      return `${this.#here()} has a field that cannot be read: ${message}`;
    }
  }

  object(value: object): string | undefined {
    const above = this.#ancestors.indexOf(value);
    if (above !== -1) return `${this.#here()} refers back to ${this.#place(above)}, a cycle`;
    if (this.#ancestors.length >= levelsMax) {
      return `${this.#here()} is nested deeper than ${levelsMax} levels`;
    }
    if (Array.isArray(value)) return this.#list(value);
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#ownJson(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const problem = oddObject(value);
      if (problem !== undefined) return `${this.#here()} ${problem}`;
    }
    return this.#fields(value);
  }

  /** A date that is none, or bytes; what else writes itself is taken at its word. */
  #ownJson(value: object): string | undefined {
    if (value instanceof Date && Number.isNaN(value.getTime())) {
      return `${this.#here()} is an invalid Date, which JSON writes as null`;
    }
    return ArrayBuffer.isView(value) ? `${this.#here()} ${oddBytes(value)}` : undefined;
  }

  #list(list: readonly unknown[]): string | undefined {
    this.#ancestors.push(list);
    for (let index = 0; index < list.length; index += 1) {
      const item = list[index];
      if (item === undefined && this.#gaps === 'taken') continue;
      const problem = this.#item(index, item);
      if (problem !== undefined) return problem;
    }
    this.#ancestors.pop();
    return undefined;
  }

  #fields(value: object): string | undefined {
    this.#ancestors.push(value);
    for (const key of Object.keys(value)) {
      const item = (value as Readonly<Record<string, unknown>>)[key];
      if (item === undefined) continue;
      const problem = this.#item(key, item);
      if (problem !== undefined) return problem;
    }
    this.#ancestors.pop();
    return undefined;
  }

  #item(key: string | number, item: unknown): string | undefined {
    if (typeof item === 'string' || typeof item === 'boolean' || item === null) return undefined;
    if (typeof item === 'number' && Number.isFinite(item)) return undefined;
    this.#keys.push(key);
    const problem =
      typeof item === 'object'
        ? this.object(item)
        : item === undefined
          ? `${this.#here()} is undefined, which JSON writes as null in a list`
          : scalarProblem(item, () => this.#here());
    this.#keys.pop();
    return problem;
  }
}

const writtenEmpty: ReadonlySet<string> = new Set([
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'RegExp',
  'ArrayBuffer',
  'SharedArrayBuffer',
]);

/** Of what is neither a list nor a plain object; an instance of a class is written as a plain object. */
function oddObject(value: object): string | undefined {
  if (value instanceof Operation) return `is a step or wait that was not run; write ${value.hint}`;
  if (ArrayBuffer.isView(value)) return oddBytes(value);
  if (value instanceof Error) return 'is an Error, of which JSON drops the message';
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === 'Promise') return 'is a Promise; await it first';
  if (!writtenEmpty.has(tag)) return undefined;
  return `is ${tag.startsWith('A') ? 'an' : 'a'} ${tag}, which JSON writes as {}`;
}

function oddBytes(value: ArrayBufferView): string {
  const name = value.constructor.name;
  return value instanceof Uint8Array
    ? `is a ${name} inside another value; bytes are kept only as the whole`
    : `is a ${name}, which JSON does not keep`;
}
