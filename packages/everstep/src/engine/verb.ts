/** The shape of a verb: one call of the service over a running engine. */
import type { CallContext, RpcName, WorkflowService } from '../service/workflow-service.ts';
import type { OperatorService } from '../service/operator-service.ts';
import type { EngineContext } from './context.ts';

export type Verb<Name extends RpcName> = (
  context: EngineContext,
  request: Parameters<WorkflowService[Name]>[0],
  call: CallContext | undefined,
) => ReturnType<WorkflowService[Name]>;

export type OperatorVerb<Name extends keyof OperatorService> = (
  context: EngineContext,
  request: Parameters<OperatorService[Name]>[0],
  call: CallContext | undefined,
) => ReturnType<OperatorService[Name]>;
