/**
 * The waist over gRPC: what official SDKs, the `temporal` CLI and Temporal's UI connect to. It takes the services'
 * definitions from `@temporalio/proto`, decodes requests, hands them to the service interface with their deadline
 * and a signal for the caller's leaving, and encodes replies and errors.
 *
 * It must never hold logic of the service, nor answer with a stack, a path or another caller's data.
 * Read next: listener.ts (connections), wire-method.ts (bytes to messages), answered-call.ts (one call), packed-request.ts,
 * packed-reply.ts, health.ts.
 */
import { createSecureContext } from 'node:tls';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { EverstepError } from '../service/error-codes.ts';
import { nameOfStatus, type GrpcError } from '../service/grpc-error.ts';
import type { Logger } from '../service/logger.ts';
import type { OperatorService } from '../service/operator-service.ts';
import type { WorkflowService } from '../service/workflow-service.ts';
import {
  answeredCall,
  type Authorize,
  type CallRules,
  type Handler,
  type WatchCall,
} from './answered-call.ts';
import { Health, healthMethods } from './health.ts';
import type { Listener } from './listener.ts';
import { packedReply, watchPacking } from './packed-reply.ts';
import { RateLimit, type Rates } from './rate-limit.ts';
import {
  definitionOf,
  operatorMethods,
  testMethods,
  workflowMethods,
  type WireMethod,
} from './wire-method.ts';

/** As Temporal's frontend: 4 MB in; replies are bounded by their pages. */
const receivedBytesMax = 4 * 1024 * 1024;
const keepAliveMs = 60_000;
const keepAliveTimeoutMs = 20_000;

/** PEM. */
export interface GatewayTls {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Clients must show a certificate that this one has signed (mutual TLS). */
  readonly clientCa?: Buffer;
}

export interface GatewayOptions {
  readonly service: WorkflowService;
  readonly operator: OperatorService;
  readonly logger: Logger;
  /** Where it listens, or will when the gateway starts; the gateway closes it. */
  readonly listener: Listener;
  /** Without it the connection is not encrypted. */
  readonly tls?: GatewayTls;
  /** Asked before every call but the health service's; without it everybody may do everything. */
  readonly authorize?: Authorize;
  /** Bytes of the largest request, unpacked; 4 MiB by default. */
  readonly requestBytesMax?: number;
  /** Without it calls are not counted. */
  readonly rates?: Rates;
  /** Told of every call but the health service's. */
  readonly watchCall?: WatchCall;
}

export class Gateway {
  readonly #server: Server;
  readonly #health = new Health();
  readonly #options: GatewayOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { service, operator, logger, authorize, rates, watchCall } = options;
    const rateLimit = rates && new RateLimit(rates, () => performance.now());
    const requestBytesMax = options.requestBytesMax ?? receivedBytesMax;
    const calls = { logger, requestBytesMax, authorize, rateLimit, watchCall };
    this.#server = new Server({
      'grpc.max_receive_message_length': requestBytesMax,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': keepAliveMs,
      'grpc.keepalive_timeout_ms': keepAliveTimeoutMs,
    });
    this.#serve(workflowMethods, service as unknown as Record<string, Handler>, calls);
    this.#serve(operatorMethods, operator as unknown as Record<string, Handler>, calls);
    this.#serve(testMethods, {}, calls);
    this.#serve(healthMethods, this.#health.handlers, { logger, requestBytesMax });
  }

  /**
   * Listens; resolves with the port.
   *
   * @throws EverstepError GATEWAY_ADDRESS when the address cannot be had, GATEWAY_TLS for a certificate or key that
   * cannot be used.
   */
  async start(): Promise<number> {
    const { listener, tls } = this.#options;
    const credentials = credentialsOf(tls);
    const port = await listener.listen();
    const injector = this.#server.createConnectionInjector(credentials);
    watchPacking(this.#server);
    this.#health.serving = true;
    listener.serve((connection) => {
      injector.injectConnection(connection);
    });
    return port;
  }

  /** Takes no more calls, lets those under way end for that long, and cuts off what is left. */
  async stop(graceMs: number): Promise<void> {
    this.#health.serving = false;
    this.#options.listener.close();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#server.forceShutdown();
      }, graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #serve(
    methods: readonly WireMethod[],
    handlers: Readonly<Record<string, Handler>>,
    options: CallRules,
  ): void {
    const calls: Record<string, (call: UnaryCall, done: sendUnaryData<Buffer>) => void> = {};
    for (const method of methods) {
      const handler = handlers[method.name]?.bind(handlers);
      calls[method.name] = (call, done) => {
        void answer(call, done);
      };
      const answer = async (call: UnaryCall, done: sendUnaryData<Buffer>): Promise<void> => {
        const ended = options.watchCall?.(method.rpc);
        try {
          done(null, await packedReply(call, await answeredCall(method, handler, call, options)));
          ended?.();
        } catch (error) {
          done(error as GrpcError);
          ended?.(nameOfStatus((error as GrpcError).code));
        }
      };
    }
    this.#server.addService(definitionOf(methods), calls);
  }
}

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;

function credentialsOf(tls: GatewayTls | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const { certificate, key, clientCa } = tls;
  try {
    const pairs = [{ private_key: key, cert_chain: certificate }];
    // Read here once, so that a broken file is found at the start and not by the first client.
    createSecureContext({ key, cert: certificate, ...(clientCa && { ca: clientCa }) });
    return ServerCredentials.createSsl(clientCa ?? null, pairs, clientCa !== undefined);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EverstepError(
      'GATEWAY_TLS',
      `The certificate and its key cannot be used: ${reason}. Both must be PEM, and belong together.`,
      { cause },
    );
  }
}
