/** Values of options, checked where they are given. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { attributeTypeNames, type AttributeType } from '../core/search-attribute-type.ts';

export function listOption(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function portOption(value: string): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || value.trim() === '') {
    throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  }
  return port;
}

export function countOption(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1 || count > 1_000_000) {
    throw new InvalidArgumentError('Expected a whole number from 1 to 1000000.');
  }
  return count;
}

/** `KEY=VALUE`, the value being JSON; what is no JSON is text. */
export function settingOption(
  value: string,
  before: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const [key, text] = halves(value);
  let parsed: unknown = text;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Such as a duration without its quotes.
  }
  return { ...before, [key]: parsed };
}

export function attributeOption(
  value: string,
  before: Readonly<Record<string, AttributeType>> = {},
): Readonly<Record<string, AttributeType>> {
  const [name, type] = halves(value);
  const found = attributeTypeNames.find((known) => known.toLowerCase() === type.toLowerCase());
  if (!found) {
    throw new InvalidArgumentError(`The type is one of ${attributeTypeNames.join(', ')}.`);
  }
  return { ...before, [name]: found };
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A port alone is one of the loopback. */
export function metricsOption(value: string): Address {
  if (/^\d+$/.test(value)) return { host: '127.0.0.1', port: portOption(value) };
  return splitAddress(value, '--metrics', '9464, or 127.0.0.1:9464');
}

/** `host:port`, `[::1]:port`. */
export function splitAddress(
  address: string,
  option = '--address',
  example = '127.0.0.1:7233',
): Address {
  const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
  if (host === undefined || port === undefined) {
    throw new InvalidArgumentError(
      `${option} is '${address}'; expected host:port, such as ${example}.`,
    );
  }
  return { host, port: portOption(port) };
}

/** A file that an option names; why it cannot be read is said with the option. */
export function fileOption(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidArgumentError(`${option} ${path} cannot be read: ${reason}`);
  }
}

function halves(value: string): [string, string] {
  const at = value.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('Expected KEY=VALUE.');
  return [value.slice(0, at), value.slice(at + 1)];
}
