/** Bytes for a call as nobody should send them: what each kind is made of, and what may be expected of its answer. */
import proto from '@temporalio/proto';
import type { ReflectedMessage } from '../../src/service/request-check.ts';
import { Chance } from '../chance.ts';
import { RequestMaker, type Known } from '../request-maker.ts';

export interface HostileMethod {
  readonly rpc: string;
  readonly path: string;
  readonly request: ReflectedMessage & {
    encode(message: object): { finish(): Uint8Array };
  };
}

interface Service {
  readonly fullName: string;
  readonly methods: Readonly<
    Record<string, { resolve(): { readonly resolvedRequestType: HostileMethod['request'] } }>
  >;
}

const { workflowservice, operatorservice, testservice } = proto.temporal.api;

/** Every call of every service, whether or not it is built. */
export const hostileMethods: readonly HostileMethod[] = [
  workflowservice.v1.WorkflowService,
  operatorservice.v1.OperatorService,
  testservice.v1.TestService,
  proto.grpc.health.v1.Health,
].flatMap((service) => {
  const { fullName, methods } = service as unknown as Service;
  return Object.entries(methods).map(([rpc, method]) => ({
    rpc,
    path: `/${fullName.replace(/^\./, '')}/${rpc}`,
    request: method.resolve().resolvedRequestType,
  }));
});

/** Calls that may wait for something to happen until their deadline. */
export function mayWait({ rpc }: HostileMethod): boolean {
  return (
    /^(Poll|UpdateWorkflowExecution$|ExecuteMultiOperation|QueryWorkflow$|Watch)/.test(rpc) ||
    rpc === 'GetWorkflowExecutionHistory'
  );
}

export const smallKinds = [
  'senseless values',
  'cut short',
  'bits flipped',
  'random bytes',
  'forged tokens',
] as const;
/** Up to megabytes each. */
export const largeKinds = [
  'groups in groups',
  'messages in messages',
  'one long text',
  'too large',
] as const;
export type RequestKind = (typeof smallKinds)[number] | (typeof largeKinds)[number];

export class HostileRequests {
  readonly #chance: Chance;
  readonly #known: Known;

  /** The known bytes are tokens, of the namespace that is asked and of another. */
  constructor(seed: number, known: Known) {
    this.#chance = new Chance(seed);
    this.#known = known;
  }

  make(method: HostileMethod, kind: RequestKind): Buffer {
    switch (kind) {
      case 'senseless values':
        return this.#typed(method, this.#known);
      case 'cut short': {
        const whole = this.#typed(method, this.#known);
        return whole.subarray(0, this.#chance.whole(0, whole.length));
      }
      case 'bits flipped': {
        const bytes = this.#typed(method, this.#known);
        for (let left = this.#chance.whole(1, 4); left > 0 && bytes.length > 0; left -= 1) {
          this.#flip(bytes);
        }
        return bytes;
      }
      case 'random bytes':
        return this.#random(this.#chance.whole(1, 2_000));
      case 'forged tokens': {
        const bytes = this.#known.bytes.map((token) => this.#forged(token));
        return this.#typed(method, { ...this.#known, bytes });
      }
      case 'groups in groups':
        return Buffer.alloc(this.#chance.whole(1_000, 1_000_000), 0x0b);
      case 'messages in messages':
        return nested(this.#chance.whole(1, 15), this.#chance.whole(200, 200_000));
      case 'one long text':
        return field(this.#chance.whole(1, 4), Buffer.alloc(4_000_000, 'x'));
      case 'too large':
        return Buffer.alloc(this.#chance.whole(4_194_305, 6_000_000), 'x');
    }
  }

  #typed({ rpc, request }: HostileMethod, known: Known): Buffer {
    const made = new RequestMaker(this.#chance.whole(0, 2 ** 31), known).typed(request);
    // It would take away what the other calls work on.
    if (rpc === 'DeleteNamespace') made['namespace'] = 'nowhere';
    return Buffer.from(request.encode(made).finish());
  }

  #forged(token: Uint8Array): Uint8Array {
    const bytes = Buffer.from(token);
    if (bytes.length === 0) return this.#random(20);
    switch (this.#chance.whole(0, 2)) {
      case 0:
        this.#flip(bytes);
        return bytes;
      case 1:
        return bytes.subarray(0, this.#chance.whole(0, bytes.length));
      default:
        return Buffer.concat([bytes, this.#random(this.#chance.whole(1, 50))]);
    }
  }

  #flip(bytes: Buffer): void {
    const at = this.#chance.whole(0, bytes.length - 1);
    bytes.writeUInt8((bytes.readUInt8(at) ^ (1 << this.#chance.whole(0, 7))) & 0xff, at);
  }

  #random(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#chance.whole(0, 255)));
  }
}

/** A message in the field of that number, and in that field of it another, and so on: as many as 4 MB hold. */
function nested(number: number, depth: number): Buffer {
  const heads: Buffer[] = [];
  let length = 0;
  for (let left = depth; left > 0 && length < 4_000_000; left -= 1) {
    const head = Buffer.concat([varint(number * 8 + 2), varint(length)]);
    heads.push(head);
    length += head.length;
  }
  return Buffer.concat(heads.toReversed());
}

function field(number: number, value: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(value.length), value]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}
