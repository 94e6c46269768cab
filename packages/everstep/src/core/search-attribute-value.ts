/** Values of search attributes: whether one is of its type (VS-1), and what queries compare. */
import type { Payload } from './proto.ts';
import { msOfRfc3339 } from './rfc3339.ts';
import { attributeTypeNames } from './search-attribute-type.ts';
import type { AttributeType } from './search-attribute-type.ts';

/** What a query compares: a Datetime is epoch milliseconds, a Text the list of its words. */
type ComparedValue = string | number | boolean | readonly string[];

const decoder = new TextDecoder('utf-8', { fatal: true });

/** False when it is not a value of that type. Null, and the empty list, are of every type: they take a value away. */
export function isOfType(payload: Payload, type: AttributeType): boolean {
  if (encodingOf(payload) === 'binary/null') return true;
  const text = encodingOf(payload) === 'json/plain' ? textOf(payload) : undefined;
  const value = text === undefined ? undefined : parsed(text);
  if (text === undefined || value === undefined) return false;
  if (value === null || (Array.isArray(value) && value.length === 0)) return true;
  if (type === 'Int') return isInt64(text);
  return compared(value, type) !== undefined;
}

/** As it is shown to whoever sent a value of another type. */
export function shownValue(payload: Payload): string {
  const text = textOf(payload) ?? '';
  const value = encodingOf(payload) === 'json/plain' ? parsed(text) : undefined;
  if (typeof value === 'string') return value;
  return value === undefined ? `value from <${encodingOf(payload)} ${text.slice(0, 100)}>` : text;
}

/** Undefined when there is nothing to compare. The payload says its type; the registry has seen to that. */
export function comparedValue(payload: Payload): ComparedValue | undefined {
  const text = textOf(payload);
  const value = text === undefined ? undefined : parsed(text);
  const type = payload.metadata?.['type'];
  const name = type && decodedText(type);
  return compared(
    value,
    attributeTypeNames.find((one) => one === name),
  );
}

/** As a search for words takes a text apart, and as a search asks for them: without case and accents. */
export function wordsOf(text: string): readonly string[] {
  const plain = text.toLowerCase().normalize('NFD').replaceAll(/\p{M}/gu, '');
  return [...new Set(plain.match(/[\p{L}\p{N}]+/gu))];
}

function compared(value: unknown, type: AttributeType | undefined): ComparedValue | undefined {
  if (type === 'KeywordList') return Array.isArray(value) ? stringsOf(value) : undefined;
  // One value in a list is that value.
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  switch (type) {
    case 'Int':
    case 'Double':
      return typeof one === 'number' && Number.isFinite(one) ? one : undefined;
    case 'Bool':
      return typeof one === 'boolean' ? one : undefined;
    case 'Datetime':
      return typeof one === 'string' ? msOfRfc3339(one) : undefined;
    case 'Text':
      return typeof one === 'string' ? wordsOf(one) : undefined;
    case 'Keyword':
      return typeof one === 'string' ? one : undefined;
    case undefined:
      if (Array.isArray(one)) return stringsOf(one);
      return typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean'
        ? one
        : undefined;
  }
}

/** A null in a list of keywords counts as none. */
function stringsOf(list: readonly unknown[]): readonly string[] | undefined {
  const strings = list.filter((item) => item !== null);
  return strings.every((item) => typeof item === 'string') ? strings : undefined;
}

/** A whole number as it is written, which JSON.parse does not tell: 1.0 and 1e3 are none. */
function isInt64(text: string): boolean {
  const match = /^\s*\[?\s*(-?\d+)\s*\]?\s*$/.exec(text);
  return match !== null && BigInt.asIntN(64, BigInt(match[1] ?? '')) === BigInt(match[1] ?? '');
}

function encodingOf(payload: Payload): string {
  const encoding = payload.metadata?.['encoding'];
  return (encoding && decodedText(encoding)) ?? '';
}

function textOf(payload: Payload): string | undefined {
  return payload.data && payload.data.length > 0 ? decodedText(payload.data) : undefined;
}

function decodedText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
