/** Requests as nobody should send them, made from what the contract says of each message and a seed. */
import proto from '@temporalio/proto';
import Long from 'long';
import type { ReflectedMessage } from '../src/service/request-check.ts';

type Rand = () => number;

interface ReflectedService {
  readonly methods: Readonly<
    Record<string, { resolve(): { readonly resolvedRequestType: ReflectedMessage } }>
  >;
}

const service = proto.temporal.api.workflowservice.v1
  .WorkflowService as unknown as ReflectedService;

export function requestMessage(rpc: string): ReflectedMessage {
  const method = service.methods[`${rpc.charAt(0).toUpperCase()}${rpc.slice(1)}`];
  if (method === undefined) throw new TypeError(`There is no ${rpc}`);
  return method.resolve().resolvedRequestType;
}

/** What a request may name to reach something that is there. */
export interface Known {
  readonly texts: readonly string[];
  readonly bytes: readonly Uint8Array[];
}

export class RequestMaker {
  readonly #rand: Rand;
  readonly #known: Known;
  /** Places of the message made last, for `spoil`. */
  #places: { readonly holder: Record<string, unknown>; readonly name: string }[] = [];

  constructor(seed: number, known: Known) {
    this.#rand = mulberry32(seed);
    this.#known = known;
  }

  /** Every field has its type; what it says is another matter. */
  typed(message: ReflectedMessage): Record<string, unknown> {
    this.#places = [];
    return this.#message(message, 0);
  }

  /** The same with up to three values of a wrong type; sometimes it is no message at all. */
  spoilt(message: ReflectedMessage): unknown {
    if (this.#rand() < 0.05) return this.#garbage();
    const request = this.typed(message);
    for (let left = this.#int(3); left >= 0 && this.#places.length > 0; left -= 1) {
      const { holder, name } = this.#pick(this.#places);
      holder[name] = this.#garbage();
    }
    return request;
  }

  #message(message: ReflectedMessage, depth: number): Record<string, unknown> {
    const made: Record<string, unknown> = {};
    const names = Object.keys(message.fields);
    const share = depth === 0 ? 0.6 : Math.min(0.7, 4 / names.length);
    for (const name of names) {
      const field = message.fields[name]?.resolve();
      const wanted = always.has(name) ? 0.9 : share;
      if (field === undefined || depth > 6 || this.#rand() > wanted) continue;
      const one = (): unknown => {
        const { resolvedType } = field;
        if (resolvedType === null) return this.#scalar(field.type, name);
        if ('fields' in resolvedType) return this.#message(resolvedType, depth + 1);
        return this.#rand() < 0.9
          ? this.#pick(Object.values(resolvedType.values))
          : this.#pick([99, -1]);
      };
      const many = Array.from({ length: this.#int(3) }, one);
      if (field.map) made[name] = Object.fromEntries(many.map((value) => [this.#text(), value]));
      else made[name] = field.repeated ? many : one();
      this.#places.push({ holder: made, name });
    }
    return made;
  }

  #scalar(type: string, name: string): unknown {
    switch (type) {
      case 'string':
        return name === 'namespace' && this.#rand() < 0.9 ? 'default' : this.#text();
      case 'bytes':
        return this.#pick([new Uint8Array(), new Uint8Array([1, 2, 3]), ...this.#known.bytes]);
      case 'bool':
        return this.#rand() < 0.5;
      case 'double':
      case 'float':
        return this.#pick([0, 1, -1, 0.5, 1e308, Number.NaN, Number.POSITIVE_INFINITY]);
      case 'int64':
        return this.#pick([0, 1, -1, 5, 1e12, Long.MAX_VALUE, Long.MIN_VALUE, Long.fromInt(4)]);
      default:
        return this.#pick([0, 1, 3, -1, 2 ** 31 - 1, -(2 ** 31)]);
    }
  }

  #text(): string {
    return this.#pick([
      ...this.#known.texts,
      ...this.#known.texts,
      '',
      'b',
      '\0',
      '\ud800',
      '💥',
      '__proto__',
      'constructor',
      "WorkflowId = '",
      '* * * * *',
      'x'.repeat(2_000),
    ]);
  }

  #garbage(): unknown {
    const knot: Record<string, unknown> = {};
    for (const name of ['cause', 'failure', 'payloads', 'fields', 'name']) knot[name] = knot;
    return this.#pick([
      5,
      -0.5,
      Number.NaN,
      'text',
      true,
      null,
      [],
      [null],
      [undefined],
      [5],
      {},
      { seconds: 'soon' },
      { seconds: 1e30, nanos: 'none' },
      { low: 'a', high: {} },
      { payloads: [5] },
      new Date(0),
      new Map(),
      new Uint8Array([255]),
      10n,
      Symbol('odd'),
      () => 1,
      Object.create(null) as object,
      knot,
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new TypeError('not to be read');
          },
        },
      ),
    ]);
  }

  #int(max: number): number {
    return Math.floor(this.#rand() * max);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#int(values.length)] as T;
  }
}

const always: ReadonlySet<string> = new Set([
  'namespace',
  'workflowId',
  'workflowExecution',
  'execution',
  'workflowType',
  'taskQueue',
  'taskToken',
  'name',
  'signalName',
]);

/** A small generator of numbers from a seed (Tommy Ettinger, public domain). */
function mulberry32(seed: number): Rand {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
