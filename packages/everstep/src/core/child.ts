/**
 * Children of this run (section 9): a command initiates one, the outbox starts it, and its start and its end come
 * back as inputs. What happens to those still open when this run closes is CH-4.
 * Read next: child-command.ts, child-events.ts.
 */
import proto from '@temporalio/proto';
import { accepted, alreadyCompleted, notFound } from './answer.ts';
import { addChildClose } from './child-close.ts';
import { applyChildStarted, forgetChild } from './child-events.ts';
import type { Draft } from './draft.ts';
import type { Answer, InputOf } from './input.ts';
import { EventType, ParentClosePolicy } from './proto.ts';
import type { Header } from './proto.ts';
import { isOpen } from './state.ts';
import type { ChildInfo } from './state.ts';
import { longOf } from './time.ts';
import { scheduleWorkflowTask } from './workflow-task.ts';

const { StartChildWorkflowExecutionFailedCause } = proto.temporal.api.enums.v1;

const startFailedCauses = {
  WORKFLOW_ALREADY_EXISTS:
    StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS,
  NAMESPACE_NOT_FOUND:
    StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND,
} as const;

/** CH-2: once this is committed the child may get its first workflow task. */
export function childStarted(draft: Draft, input: InputOf<'childStarted'>): Answer<undefined> {
  if (!isOpen(draft.state)) return alreadyCompleted();
  const child = draft.state.children.get(input.initiatedEventId);
  // The parent was told meanwhile that it could not be started, or of another run: this one is nobody's.
  if (!child || (child.runId !== '' && child.runId !== input.childRunId)) {
    return notFound('The child is not pending.');
  }
  if (child.runId === '') {
    addStarted(draft, child, input.childRunId, input.header);
    scheduleWorkflowTask(draft);
  }
  // Again for a repeated message: the first confirmation may have been lost, and the child takes only one.
  draft.outbox.push({
    kind: 'confirmChild',
    namespaceId: child.namespaceId,
    workflowId: child.workflowId,
    runId: input.childRunId,
  });
  draft.touch();
  return accepted;
}

function addStarted(draft: Draft, child: ChildInfo, runId: string, header?: Header | null): void {
  const event = draft.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, {
    childWorkflowExecutionStartedEventAttributes: {
      namespace: child.namespace,
      namespaceId: child.namespaceId,
      initiatedEventId: longOf(child.initiatedEventId),
      workflowExecution: { workflowId: child.workflowId, runId },
      workflowType: { name: child.workflowType },
      ...(header && { header }),
    },
  });
  applyChildStarted(draft, event);
}

/** CH-1. */
export function childStartFailed(
  draft: Draft,
  input: InputOf<'childStartFailed'>,
): Answer<undefined> {
  if (!isOpen(draft.state)) return alreadyCompleted();
  const child = draft.state.children.get(input.initiatedEventId);
  if (!child || child.runId !== '') return accepted;
  draft.add(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, {
    startChildWorkflowExecutionFailedEventAttributes: {
      namespace: child.namespace,
      namespaceId: child.namespaceId,
      workflowId: child.workflowId,
      workflowType: { name: child.workflowType },
      cause: startFailedCauses[input.cause],
      ...(child.control && { control: child.control }),
      initiatedEventId: longOf(child.initiatedEventId),
    },
  });
  forgetChild(draft, child.initiatedEventId);
  scheduleWorkflowTask(draft);
  return accepted;
}

/** CH-3. */
export function childClosed(draft: Draft, input: InputOf<'childClosed'>): Answer<undefined> {
  if (!isOpen(draft.state)) return alreadyCompleted();
  const pending = draft.state.children.get(input.initiatedEventId);
  if (!pending) return accepted;
  const firstRunId = input.childFirstRunId ?? input.childRunId;
  if (pending.runId === '') addStarted(draft, pending, firstRunId);
  else if (input.childFirstRunId !== undefined && pending.runId !== firstRunId) return accepted;
  const child = draft.state.children.get(input.initiatedEventId) ?? pending;
  addChildClose(draft, child, input.childRunId, input.closeEvent);
  forgetChild(draft, child.initiatedEventId);
  scheduleWorkflowTask(draft);
  return accepted;
}

/** CH-4, when this run closes for good. A child left to itself gets no message. */
export function closeChildren(draft: Draft): void {
  for (const child of draft.state.children.values()) {
    if (child.parentClosePolicy === ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON) continue;
    draft.outbox.push({
      kind: 'closeChild',
      policy:
        child.parentClosePolicy === ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL
          ? 'requestCancel'
          : 'terminate',
      namespaceId: child.namespaceId,
      workflowId: child.workflowId,
      runId: child.runId,
    });
  }
}
