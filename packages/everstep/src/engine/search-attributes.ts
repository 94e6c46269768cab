/** Search attributes on the wire (VS-1, VS-2): types as numbers, and payloads that say their type. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { Command, Payload, SearchAttributes } from '../core/proto.ts';
import {
  attributeTypeNames,
  attributeTypeOf,
  systemAttributeTypes,
} from '../core/search-attribute-type.ts';
import type { AttributeType, RegisteredAttributes } from '../core/search-attribute-type.ts';

export type { AttributeType } from '../core/search-attribute-type.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;
type IndexedValueType = temporal.api.enums.v1.IndexedValueType;

export const attributeTypes: Readonly<Record<AttributeType, IndexedValueType>> = {
  Text: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  Int: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  Double: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
  Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
  Datetime: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
};

/** What every run has, or may have, without registering it. */
export const systemAttributes: Readonly<Record<string, IndexedValueType>> = Object.fromEntries(
  [...systemAttributeTypes].map(([name, type]) => [name, attributeTypes[type]]),
);

export function attributeTypeName(type: number): AttributeType | undefined {
  return attributeTypeNames.find((name) => attributeTypes[name] === type);
}

export function customAttributes(
  registered: RegisteredAttributes,
): Record<string, IndexedValueType> {
  return Object.fromEntries(
    Object.entries(registered).map(([name, type]) => [name, attributeTypes[type]]),
  );
}

const encoder = new TextEncoder();

/** With the type in each payload's metadata, as SDKs read it: the namespace knows those it has registered. */
export function typedAttributes<T extends SearchAttributes | null | undefined>(
  attributes: T,
  registered: RegisteredAttributes,
): T {
  if (!attributes?.indexedFields) return attributes;
  const indexedFields: Record<string, Payload> = {};
  for (const [name, payload] of Object.entries(attributes.indexedFields)) {
    const type = attributeTypeOf(name, registered);
    indexedFields[name] =
      type === undefined
        ? payload
        : { ...payload, metadata: { ...payload.metadata, type: encoder.encode(type) } };
  }
  return { ...attributes, indexedFields };
}

export function attributesOfCommand(command: Command): SearchAttributes | null | undefined {
  return withAttributes.map((field) => command[field]?.searchAttributes).find((one) => one);
}

/** The attributes that a workflow gives itself, its children and its next run, likewise. */
export function typedCommand(command: Command, registered: RegisteredAttributes): Command {
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
