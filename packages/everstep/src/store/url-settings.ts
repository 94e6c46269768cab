/** What the URL of a database server says, read alike for all of them. */
import { readFileSync } from 'node:fs';
import { StoreError } from './store.ts';

/** The parts of a URL, without what is not there. */
export interface UrlParts {
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly option: (name: string) => string | undefined;
}

/**
 * `server`: 'PostgreSQL', for messages; `example`: how its URL is written.
 *
 * @throws StoreError STORE_URL_INVALID, without the password.
 */
export function urlParts(
  url: string,
  { server, example, known }: { server: string; example: string; known: readonly string[] },
): UrlParts {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw invalidUrl(
      `The URL of the ${server} database cannot be read. Write '${example}', with what is special in the password percent-encoded (such as %40 for @).`,
      cause,
    );
  }
  const decoded = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch (cause) {
      throw invalidUrl(
        `The URL of the ${server} database has a '%' that is not followed by two hexadecimal digits. Write %25 for it.`,
        cause,
      );
    }
  };
  const option = (name: string): string | undefined => parsed.searchParams.get(name) ?? undefined;
  for (const name of parsed.searchParams.keys()) {
    if (!known.includes(name)) {
      throw invalidUrl(
        `The URL of the ${server} database has the option '${name}', which is not understood. Known are ${known.join(', ')}.`,
      );
    }
  }
  const host = decoded(parsed.hostname).replace(/^\[(.*)\]$/, '$1') || option('host');
  if (host?.includes(',')) {
    throw invalidUrl(
      `The URL of the ${server} database names several hosts ('${host}'). Name one.`,
    );
  }
  return {
    host,
    port: parsed.port || option('port'),
    user: decoded(parsed.username) || option('user'),
    password: decoded(parsed.password) || option('password'),
    database: decoded(parsed.pathname.slice(1)) || undefined,
    option,
  };
}

export function fileOf(name: string, path: string | undefined): string | undefined {
  if (path === undefined || path === 'system') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw invalidUrl(`The file '${path}' of ${name} cannot be read.`, cause);
  }
}

export function countOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9][0-9]{0,4}$/.test(value)) return Number(value);
  throw invalidUrl(`${name} is '${value}'; expected a whole number from 1.`);
}

export function defined<T extends Record<string, unknown>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as never;
}

export function invalidUrl(message: string, cause?: unknown): StoreError {
  return new StoreError('STORE_URL_INVALID', message, { cause });
}
