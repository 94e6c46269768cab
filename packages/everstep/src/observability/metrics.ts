/**
 * What a server measures of itself, in the text that Prometheus reads, under the names that Temporal's server gives
 * the same things. What callers make up, such as namespaces, queues and types of workflows, is no label: a series is
 * there for each call of the service and each call of the store, and for nothing else.
 *
 * Nothing here is loaded unless metrics are asked for. Read next: metrics-endpoint.ts, measured-store.ts.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Called when a call has ended; without a code it was answered. */
export type CallEnd = (errorCode?: string) => void;

/** Seconds: a commit takes a millisecond, and a long poll a minute. */
const buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60];
const frontend = { service_name: 'frontend' } as const;
const callLabels = ['operation', 'service_name'] as const;

/** What is not the caller's doing. */
const faults: ReadonlySet<string> = new Set(['INTERNAL', 'UNAVAILABLE', 'UNKNOWN', 'DATA_LOSS']);

export class Metrics {
  readonly #registry = new Registry();
  readonly #calls = this.#counter('service_requests', 'Calls that came.', callLabels);
  readonly #underWay = new Gauge({
    name: 'service_pending_requests',
    help: 'Calls under way, with polls that wait.',
    labelNames: callLabels,
    registers: [this.#registry],
  });
  readonly #callFaults = this.#counter(
    'service_errors',
    "Calls that failed by no doing of the caller's.",
    callLabels,
  );
  readonly #callErrors = this.#counter('service_error_with_type', 'Calls that were refused.', [
    ...callLabels,
    'error_type',
  ]);
  readonly #callSeconds = this.#histogram(
    'service_latency',
    'Seconds from a call to its answer, with the time that a poll waits.',
    callLabels,
  );
  readonly #storeCalls = this.#counter('persistence_requests', 'Calls of the store.', [
    'operation',
  ]);
  readonly #storeErrors = this.#counter(
    'persistence_error_with_type',
    'Calls of the store that failed.',
    ['operation', 'error_type'],
  );
  readonly #storeSeconds = this.#histogram(
    'persistence_latency',
    'Seconds from a call of the store to its answer.',
    ['operation'],
  );

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of it as text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A call of the service begins; by its name in the contract, such as StartWorkflowExecution. */
  call(rpc: string): CallEnd {
    const labels = { operation: rpc, ...frontend };
    this.#calls.inc(labels);
    this.#underWay.inc(labels);
    const ended = this.#callSeconds.startTimer(labels);
    return (code) => {
      ended();
      this.#underWay.dec(labels);
      if (code === undefined) return;
      this.#callErrors.inc({ ...labels, error_type: errorTypeOf(code) });
      if (faults.has(code)) this.#callFaults.inc(labels);
    };
  }

  /** A call of the store begins, such as `runs.load`. */
  storeCall(operation: string): CallEnd {
    this.#storeCalls.inc({ operation });
    const ended = this.#storeSeconds.startTimer({ operation });
    return (code) => {
      ended();
      if (code !== undefined) this.#storeErrors.inc({ operation, error_type: code });
    };
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]) {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  #histogram<Label extends string>(name: string, help: string, labelNames: readonly Label[]) {
    return new Histogram({
      name,
      help,
      labelNames: [...labelNames],
      buckets,
      registers: [this.#registry],
    });
  }
}

/** NOT_FOUND as serviceerror_NotFound. */
function errorTypeOf(code: string): string {
  const words = code.toLowerCase().split('_');
  return `serviceerror_${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
}
