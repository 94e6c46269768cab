/** Search attributes by name and type (VS-1, VS-2): those of the system, and the registry of a namespace. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { Command, Payload, SearchAttributes } from '../core/proto.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;
type IndexedValueType = temporal.api.enums.v1.IndexedValueType;

export const attributeTypes = {
  Text: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  Int: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  Double: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
  Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
  Datetime: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
} as const;
export type AttributeType = keyof typeof attributeTypes;

const { Keyword, Int, Datetime, KeywordList } = attributeTypes;

/** What every run has, or may have, without registering it. */
export const systemAttributes: Readonly<Record<string, IndexedValueType>> = {
  WorkflowId: Keyword,
  RunId: Keyword,
  WorkflowType: Keyword,
  ExecutionStatus: Keyword,
  StartTime: Datetime,
  ExecutionTime: Datetime,
  CloseTime: Datetime,
  ExecutionDuration: Int,
  TaskQueue: Keyword,
  HistoryLength: Int,
  HistorySizeBytes: Int,
  StateTransitionCount: Int,
  ParentWorkflowId: Keyword,
  ParentRunId: Keyword,
  RootWorkflowId: Keyword,
  RootRunId: Keyword,
  BatcherUser: Keyword,
  BinaryChecksums: KeywordList,
  BuildIds: KeywordList,
  TemporalChangeVersion: KeywordList,
  TemporalNamespaceDivision: Keyword,
  TemporalReportedProblems: KeywordList,
  TemporalScheduledById: Keyword,
  TemporalScheduledStartTime: Datetime,
  TemporalSchedulePaused: attributeTypes.Bool,
};

export function attributeTypeName(type: number): AttributeType | undefined {
  return (Object.keys(attributeTypes) as AttributeType[]).find(
    (name) => attributeTypes[name] === type,
  );
}

export function customAttributes(
  registered: Readonly<Record<string, string>>,
): Record<string, IndexedValueType> {
  return Object.fromEntries(
    Object.entries(registered).map(([name, type]) => [name, attributeTypes[type as AttributeType]]),
  );
}

const encoder = new TextEncoder();

/** With the type in each payload's metadata, as SDKs read it: the namespace knows those it has registered. */
export function typedAttributes<T extends SearchAttributes | null | undefined>(
  attributes: T,
  registered: Readonly<Record<string, string>>,
): T {
  if (!attributes?.indexedFields) return attributes;
  const indexedFields: Record<string, Payload> = {};
  for (const [name, payload] of Object.entries(attributes.indexedFields)) {
    const type = registered[name] ?? systemTypeName(name);
    indexedFields[name] =
      type === undefined || payload.metadata?.['type']
        ? payload
        : { ...payload, metadata: { ...payload.metadata, type: encoder.encode(type) } };
  }
  return { ...attributes, indexedFields };
}

function systemTypeName(name: string): string | undefined {
  const type = systemAttributes[name];
  return type === undefined ? undefined : attributeTypeName(type);
}

/** The attributes that a workflow gives itself, its children and its next run, likewise. */
export function typedCommand(
  command: Command,
  registered: Readonly<Record<string, string>>,
): Command {
  for (const field of withAttributes) {
    const attributes = command[field];
    if (attributes?.searchAttributes) {
      const searchAttributes = typedAttributes(attributes.searchAttributes, registered);
      return { ...command, [field]: { ...attributes, searchAttributes } };
    }
  }
  return command;
}

const withAttributes = [
  'upsertWorkflowSearchAttributesCommandAttributes',
  'startChildWorkflowExecutionCommandAttributes',
  'continueAsNewWorkflowExecutionCommandAttributes',
] as const;
