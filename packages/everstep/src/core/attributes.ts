/** Search attributes, memo and markers a workflow writes about itself. Types of attributes are visibility's (VS-1). */
import type { CommandHandler, CommandProblem } from './command.ts';
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import { checkIdLength } from './id-length.ts';
import type { Limits } from './limits.ts';
import {
  memoBytes,
  payloadMapDataBytes,
  payloadsBytes,
  searchAttributesBytes,
  utf8Bytes,
} from './payload-size.ts';
import { EventType, WorkflowTaskFailedCause } from './proto.ts';
import type { HistoryEvent, Memo, Payload, SearchAttributes } from './proto.ts';
import { attributeTypeOf, isFilledIn } from './search-attribute-type.ts';
import type { RegisteredAttributes } from './search-attribute-type.ts';
import { isOfType, shownValue } from './search-attribute-value.ts';
import { longOf } from './time.ts';

type PayloadMap = Readonly<Record<string, Payload>>;

const badSearchAttributes =
  WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
const badProperties =
  WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES;
const badMarker = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES;

/**
 * Names, number and values (VS-1, VS-2, VS-3): the first problem in words, or undefined. Without a registry, names of
 * callers and their values are taken as they are.
 */
export function checkSearchAttributes(
  attributes: SearchAttributes | null | undefined,
  limits: Limits,
  { name: namespace, registered }: AttributeRegistry,
): string | undefined {
  const fields = Object.entries(attributes?.indexedFields ?? {});
  if (fields.length > limits.searchAttributeKeysMax) {
    return `number of search attributes ${fields.length} exceeds limit ${limits.searchAttributeKeysMax}`;
  }
  for (const [name, value] of fields) {
    if (isFilledIn(name)) return `${name} attribute can't be set in SearchAttributes`;
    if (!registered) continue;
    const type = attributeTypeOf(name, registered);
    if (type === undefined) {
      return `Namespace ${namespace} has no mapping defined for search attribute ${name}`;
    }
    if (!isOfType(value, type)) {
      return `invalid value for search attribute ${name} of type ${type}: ${shownValue(value)}`;
    }
  }
  return undefined;
}

export interface AttributeRegistry {
  /** Of the namespace, for messages. */
  readonly name: string;
  readonly registered: RegisteredAttributes | undefined;
}

/** Of the run's own namespace. */
export function registryOf(draft: Draft): AttributeRegistry {
  const { namespace, namespaceId } = draft.state;
  return { name: namespace, registered: draft.env.registeredAttributes?.(namespaceId) };
}

/** Sizes (VS-3): the problem in words, or undefined. */
export function checkSearchAttributesSize(
  attributes: SearchAttributes | null | undefined,
  limits: Limits,
): string | undefined {
  for (const [name, value] of Object.entries(attributes?.indexedFields ?? {})) {
    const bytes = value.data?.length ?? 0;
    if (bytes > limits.searchAttributeValueBytesMax) {
      return `search attribute ${name} value size ${bytes} exceeds size limit ${limits.searchAttributeValueBytesMax}`;
    }
  }
  const bytes = searchAttributesBytes(attributes);
  if (bytes <= limits.searchAttributesBytesMax) return undefined;
  return `total size of search attributes ${bytes} exceeds size limit ${limits.searchAttributesBytesMax}`;
}

/** Null and the empty list take a key away. */
function unsets(payload: Payload): boolean {
  const data = payload.data;
  if (!data || data.length === 0) return true;
  if (data.length > 4) return false;
  const text = String.fromCharCode(...data);
  return text === 'null' || text === '[]';
}

/** The fields with the changes merged in. */
function merge(
  fields: PayloadMap | null | undefined,
  changes: PayloadMap | null | undefined,
): PayloadMap {
  // A map, because a key may be a word of JavaScript's, such as __proto__.
  const merged = new Map(Object.entries(fields ?? {}));
  for (const [key, value] of Object.entries(changes ?? {})) {
    if (unsets(value)) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

export const upsertSearchAttributes: CommandHandler = (draft, command, context) => {
  const name = 'UpsertWorkflowSearchAttributesCommand';
  const attributes = command.upsertWorkflowSearchAttributesCommandAttributes;
  const problem = (message: string, terminate = false): CommandProblem => ({
    cause: badSearchAttributes,
    message,
    terminate,
  });
  if (!attributes) return problem(`${name}Attributes is not set on ${name}.`);
  const changes = attributes.searchAttributes;
  if (!changes) return problem(`SearchAttributes is not set on ${name}.`);
  if (Object.keys(changes.indexedFields ?? {}).length === 0) {
    return problem(`IndexedFields is not set on ${name}.`);
  }
  const { limits } = draft.env;
  const bad = checkSearchAttributes(changes, limits, registryOf(draft));
  if (bad !== undefined) return problem(bad);
  if (payloadMapDataBytes(changes.indexedFields) > limits.payloadBytesMax) {
    return problem(`${name}Attributes exceeds size limit.`, true);
  }
  const merged = {
    indexedFields: merge(draft.state.searchAttributes?.indexedFields, changes.indexedFields),
  };
  const tooLarge = checkSearchAttributesSize(merged, limits);
  if (tooLarge !== undefined) return problem(tooLarge, true);
  const event = draft.add(
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    {
      upsertWorkflowSearchAttributesEventAttributes: {
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        searchAttributes: changes,
      },
    },
    { userMetadata: command.userMetadata },
  );
  applyUpsert(draft, event);
  return undefined;
};

export const modifyProperties: CommandHandler = (draft, command, context) => {
  const name = 'ModifyWorkflowPropertiesCommand';
  const attributes = command.modifyWorkflowPropertiesCommandAttributes;
  const problem = (message: string, terminate = false): CommandProblem => ({
    cause: badProperties,
    message,
    terminate,
  });
  if (!attributes) return problem(`${name}Attributes is not set on ${name}.`);
  const changes = attributes.upsertedMemo;
  if (!changes) return problem(`UpsertedMemo is not set on ${name}.`);
  if (Object.keys(changes.fields ?? {}).length === 0) {
    return problem(`UpsertedMemo.Fields is not set on ${name}.`);
  }
  const { limits } = draft.env;
  if (payloadMapDataBytes(changes.fields) > limits.payloadBytesMax) {
    return problem(`${name}Attributes exceeds size limit.`, true);
  }
  const merged: Memo = { fields: merge(draft.state.memo?.fields, changes.fields) };
  if (memoBytes(merged) > limits.memoBytesMax) {
    return problem(`${name}Attributes. Memo exceeds size limit.`, true);
  }
  const event = draft.add(
    EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
    {
      workflowPropertiesModifiedEventAttributes: {
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        upsertedMemo: changes,
      },
    },
    { userMetadata: command.userMetadata },
  );
  applyProperties(draft, event);
  return undefined;
};

/** A marker is only history: it changes nothing in the state. */
export const recordMarker: CommandHandler = (draft, command, context) => {
  const name = 'RecordMarkerCommand';
  const attributes = command.recordMarkerCommandAttributes;
  if (!attributes) return { cause: badMarker, message: `${name}Attributes is not set on ${name}.` };
  const markerName = attributes.markerName ?? '';
  if (markerName === '') return { cause: badMarker, message: `MarkerName is not set on ${name}.` };
  const { limits } = draft.env;
  const tooLong = checkIdLength(`MarkerName on ${name}`, markerName, limits);
  if (tooLong !== undefined) return { cause: badMarker, message: tooLong };
  let bytes = 0;
  for (const [key, value] of Object.entries(attributes.details ?? {}))
    bytes += utf8Bytes(key) + payloadsBytes(value);
  if (bytes > limits.payloadBytesMax) {
    return {
      cause: badMarker,
      message: `${name}Attributes.Details exceeds size limit.`,
      terminate: true,
    };
  }
  draft.add(
    EventType.EVENT_TYPE_MARKER_RECORDED,
    {
      markerRecordedEventAttributes: {
        markerName,
        ...(attributes.details && { details: attributes.details }),
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        ...(attributes.header && { header: attributes.header }),
        ...(attributes.failure && { failure: attributes.failure }),
      },
    },
    { userMetadata: command.userMetadata },
  );
  return undefined;
};

function applyUpsert(draft: Draft, event: HistoryEvent): void {
  const changes = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes;
  draft.state.searchAttributes = {
    indexedFields: merge(draft.state.searchAttributes?.indexedFields, changes?.indexedFields),
  };
}

function applyProperties(draft: Draft, event: HistoryEvent): void {
  const changes = event.workflowPropertiesModifiedEventAttributes?.upsertedMemo;
  draft.state.memo = { fields: merge(draft.state.memo?.fields, changes?.fields) };
}

export const attributeEvents: EventTable = {
  [EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: applyUpsert,
  [EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED]: applyProperties,
};
