/** A batch's state as it stands in the JSON of its run's state (state-codec.ts). */
import proto from '@temporalio/proto';
import { wireField } from '../wire-field.ts';
import type { WireType } from '../wire-field.ts';
import type { BatchState, WireBatch } from './batch-state.ts';

const requests = wireField(
  proto.temporal.api.workflowservice.v1.StartBatchOperationRequest as WireType<WireBatch>,
);

type Stored = { readonly [Field in keyof BatchState]: unknown };

export function encodeBatchState(state: BatchState): Stored {
  return { ...state, request: requests.encode(state.request) };
}

export function decodeBatchState(stored: Stored): BatchState {
  return { ...(stored as BatchState), request: requests.decode(stored.request as string) };
}
