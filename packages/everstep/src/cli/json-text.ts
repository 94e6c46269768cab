/** JSON to and from text, as a command line has it. */
import { InvalidArgumentError } from 'commander';
import { jsonFault } from './json-fault.ts';

/** One line. Bytes are base64. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, bytesAsBase64) ?? 'null'}\n`;
}

/** For people, and for `jq` alike. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, bytesAsBase64, 2) ?? 'null'}\n`;
}

function bytesAsBase64(this: unknown, key: string, value: unknown): unknown {
  // A Buffer has become an object by its toJSON.
  const held = (this as Readonly<Record<string, unknown>>)[key];
  return held instanceof Uint8Array ? Buffer.from(held).toString('base64') : value;
}

/** @param source Where the text is from, for the error: `--params`. */
export function parsedJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const fault = jsonFault(text);
    const before = text.slice(0, fault.at);
    const line = before.split('\n').length;
    const column = fault.at - before.lastIndexOf('\n');
    const near = text.slice(Math.max(0, fault.at - 20), fault.at + 20).replaceAll(/\s+/g, ' ');
    throw new InvalidArgumentError(
      text.trim() === ''
        ? `${source} is empty; expected JSON, such as {"city":"lisbon"}.`
        : `${source} is no JSON: line ${line}, column ${column}: expected ${fault.expected}, near '${near}'.`,
    );
  }
}
