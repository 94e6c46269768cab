/** The calls of the public services, as `@temporalio/proto` knows them at run time: path, and the way between bytes and messages. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import proto from '@temporalio/proto';
import { WireWriter } from '../core/wire-writer.ts';
import { EncodedHistory } from '../service/encoded-history.ts';
import { StrictReader } from './strict-reader.ts';

interface MessageType {
  readonly name: string;
  readonly fields: Readonly<Record<string, { readonly id: number } | undefined>>;
  decode(reader: object): object;
  encode(message: object, writer: WireWriter): WireWriter;
}
/** What protobufjs knows of a service; its static types leave it out. */
export interface ReflectedService {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, ReflectedMethod>>;
}
interface ReflectedMethod {
  readonly name: string;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
  resolve(): {
    readonly resolvedRequestType: MessageType | null;
    readonly resolvedResponseType: MessageType | null;
  };
}

export interface WireMethod {
  /** As the service interface names it: startWorkflowExecution. */
  readonly name: string;
  /** As the contract names it: StartWorkflowExecution. */
  readonly rpc: string;
  readonly path: string;
  readonly requestType: string;
  /** Throws what protobufjs or StrictReader throws at bytes that are no such message. */
  decodeRequest(bytes: Buffer): object;
  encodeReply(reply: object): Buffer;
}

/** Encoding does not wait, so that one writer serves all. */
const writer = new WireWriter();

export function methodsOf(service: ReflectedService): readonly WireMethod[] {
  const methods: WireMethod[] = [];
  for (const [rpc, method] of Object.entries(service.methods)) {
    const { resolvedRequestType: request, resolvedResponseType: reply } = method.resolve();
    if (!request || !reply || method.requestStream || method.responseStream) continue;
    methods.push({
      name: rpc.charAt(0).toLowerCase() + rpc.slice(1),
      rpc,
      path: `/${service.fullName.replace(/^\./, '')}/${rpc}`,
      requestType: request.name,
      decodeRequest: (bytes) => request.decode(new StrictReader(bytes)),
      encodeReply: (message) => {
        try {
          const bytes = encoded(reply, message).finish();
          return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        } catch (error) {
          writer.clear();
          throw error;
        }
      },
    });
  }
  return methods;
}

function encoded(type: MessageType, message: object): WireWriter {
  const { history } = message as { readonly history?: unknown };
  const field = type.fields['history'];
  if (!(history instanceof EncodedHistory) || !field) return type.encode(message, writer);
  // The fields of a message may come in any order.
  type.encode({ ...message, history: null }, writer);
  return writer.uint32((field.id << 3) | 2).bytes(history.bytes);
}

export function definitionOf(methods: readonly WireMethod[]): ServiceDefinition {
  return Object.fromEntries(
    methods.map(({ name, path }) => [
      name,
      {
        path,
        requestStream: false,
        responseStream: false,
        // Bytes go through as they are: what does not decode is answered by us, not as INTERNAL by the transport.
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
        originalName: name,
      },
    ]),
  );
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

const { workflowservice, operatorservice, testservice } = proto.temporal.api;
const reflected = (service: unknown): readonly WireMethod[] =>
  methodsOf(service as ReflectedService);

export const workflowMethods = reflected(workflowservice.v1.WorkflowService);
export const operatorMethods = reflected(operatorservice.v1.OperatorService);
export const testMethods = reflected(testservice.v1.TestService);
