/**
 * Who may call what: the key file of a server. Keys stand in it as their SHA-256, so that reading it gives no key
 * away; a caller sends its key as a bearer token, or shows a certificate of the name that is listed.
 */
import { createHash } from 'node:crypto';
import { EverstepError } from '../service/error-codes.ts';
import { ServiceError } from '../service/service-error.ts';
import { covers, needOf, roles } from './method-roles.ts';
import type { Role } from './method-roles.ts';

/** What the transport knows of a caller. */
export interface Caller {
  /** The header, as it was sent. */
  readonly authorization: string | undefined;
  /** Of a certificate that was verified (mutual TLS). */
  readonly commonName: string | undefined;
}

/** Namespace, or '*' for all, to roles. */
type Grants = ReadonlyMap<string, readonly Role[]>;

export class ApiKeys {
  readonly #byHash = new Map<string, Grants>();
  readonly #byCommonName = new Map<string, Grants>();

  /**
   * From the text of a key file: `{ "keys": [{ "name", "sha256" or "commonName", "roles": { "<namespace>": ["write"] } }] }`.
   *
   * @throws EverstepError API_KEYS_INVALID, naming the entry and the field.
   */
  constructor(text: string) {
    const file = parsed(text);
    const keys = (file as { keys?: unknown } | null)?.keys;
    if (!Array.isArray(keys)) throw invalid('"keys" is missing; expected a list.');
    for (const [index, entry] of (keys as Record<string, unknown>[]).entries()) {
      const name = typeof entry?.['name'] === 'string' ? entry['name'] : `number ${index + 1}`;
      const { sha256, commonName } = entry;
      const grants = grantsOf(name, entry['roles']);
      if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256)) {
        this.#byHash.set(sha256.toLowerCase(), grants);
      } else if (typeof commonName === 'string' && commonName !== '' && sha256 === undefined) {
        this.#byCommonName.set(commonName, grants);
      } else {
        throw invalid(
          `key ${name} has neither "sha256", the 64 hex digits of the key's SHA-256, nor "commonName".`,
        );
      }
    }
  }

  /** @throws ServiceError PERMISSION_DENIED, the same whatever was wrong. */
  authorize(method: string, namespace: string | undefined, caller: Caller): void {
    const grants = this.#grantsOf(caller);
    const need = needOf(method);
    if (!grants || !need) throw denied();
    if (need.role === 'anyone') return;
    const everywhere = grants.get('*') ?? [];
    const here = need.where === 'namespace' && namespace ? (grants.get(namespace) ?? []) : [];
    if (!covers([...everywhere, ...here], need.role)) throw denied();
  }

  #grantsOf({ authorization, commonName }: Caller): Grants | undefined {
    const [, key] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (key !== undefined) {
      return this.#byHash.get(createHash('sha256').update(key).digest('hex'));
    }
    return commonName === undefined ? undefined : this.#byCommonName.get(commonName);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid('it is no JSON.', cause);
  }
}

function grantsOf(name: string, given: unknown): Grants {
  if (typeof given !== 'object' || given === null || Object.keys(given).length === 0) {
    throw invalid(`key ${name} has no "roles"; expected { "<namespace>": ["read"] }.`);
  }
  const grants = new Map<string, readonly Role[]>();
  for (const [namespace, list] of Object.entries(given)) {
    const held = Array.isArray(list) ? (list as unknown[]) : [list];
    const unknown = held.find((role) => !roles.includes(role as Role));
    if (unknown !== undefined || held.length === 0) {
      throw invalid(
        `key ${name} has the role ${JSON.stringify(unknown)} in ${namespace}; expected some of ${roles.join(', ')}.`,
      );
    }
    grants.set(namespace, held as Role[]);
  }
  return grants;
}

function invalid(problem: string, cause?: unknown): EverstepError {
  return new EverstepError('API_KEYS_INVALID', `The key file cannot be used: ${problem}`, {
    cause,
  });
}

function denied(): ServiceError {
  return new ServiceError({
    code: 'PERMISSION_DENIED',
    message: 'Request unauthorized.',
    detail: { kind: 'permissionDenied', reason: '' },
  });
}
