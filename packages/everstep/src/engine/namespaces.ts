/** Namespaces by name, with their settings. Read once, and again when a name is not known. */
import { ServiceError } from '../service/service-error.ts';
import type { Random } from '../service/clock.ts';
import type { RegisteredAttributes } from '../core/search-attribute-type.ts';
import { attributeTypeOf } from '../core/search-attribute-type.ts';
import type { SearchAttributes } from '../core/proto.ts';
import type { NamespaceRow, Store } from '../store/store.ts';

export interface Namespace {
  readonly namespaceId: string;
  readonly name: string;
  readonly config: NamespaceConfig;
  readonly version: number;
}

export interface NamespaceConfig {
  readonly description: string;
  readonly ownerEmail: string;
  readonly data: Readonly<Record<string, string>>;
  readonly retentionMs: number;
  /** Custom search attributes: name to type, such as 'Keyword' (VS-1). */
  readonly searchAttributes: RegisteredAttributes;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** For rows written before a setting existed. */
const unset = { description: '', ownerEmail: '', data: {}, searchAttributes: {} };

function encodeConfig(config: NamespaceConfig): Uint8Array {
  return encoder.encode(JSON.stringify(config));
}

export class Namespaces {
  readonly #store: Store;
  readonly #random: Random;
  readonly #defaultRetentionMs: number;
  #byName = new Map<string, Namespace>();
  #byId = new Map<string, Namespace>();
  #reads = 0;
  /** The latest read whose answer was taken over. */
  #taken = 0;
  /** Of the store, at the latest read that asked for it. */
  #mark: string | undefined;

  constructor(store: Store, random: Random, defaultRetentionMs: number) {
    this.#store = store;
    this.#random = random;
    this.#defaultRetentionMs = defaultRetentionMs;
  }

  /** What is known stays known while it is read again, and when the read fails. */
  async load(): Promise<void> {
    this.#reads += 1;
    const read = this.#reads;
    const rows = await this.#store.namespaces.list();
    // One that was begun later has answered already.
    if (read < this.#taken) return;
    this.#taken = read;
    this.#byName = new Map();
    this.#byId = new Map();
    for (const row of rows) this.#remember(row);
  }

  /** Reads them again when the store marks them in another way than before, or in none. */
  async loadUnlessMarked(mark: string | undefined): Promise<void> {
    if (mark !== undefined && mark === this.#mark) return;
    await this.load();
    this.#mark = mark;
  }

  all(): readonly Namespace[] {
    return [...this.#byName.values()];
  }

  /** The namespace of a request; throws NOT_FOUND with the namespace's own detail. */
  async get(name: string | null | undefined): Promise<Namespace> {
    if (!name) {
      throw new ServiceError({
        code: 'INVALID_ARGUMENT',
        message: 'Namespace not set on request.',
      });
    }
    const known = this.#byName.get(name);
    if (known) return known;
    await this.load();
    const found = this.#byName.get(name);
    if (found) return found;
    throw new ServiceError({
      code: 'NOT_FOUND',
      message: `Namespace ${name} is not found.`,
      detail: { kind: 'namespaceNotFound', namespace: name },
    });
  }

  /** As `get`, and read again when it does not know these attributes: another process may have registered them. */
  async getFor(
    name: string | null | undefined,
    ...attributes: readonly (SearchAttributes | null | undefined)[]
  ): Promise<Namespace> {
    const { config } = await this.get(name);
    const unknown = attributes.some((one) =>
      Object.keys(one?.indexedFields ?? {}).some(
        (field) => attributeTypeOf(field, config.searchAttributes) === undefined,
      ),
    );
    if (unknown) await this.load();
    return this.get(name);
  }

  byId(namespaceId: string): Namespace | undefined {
    return this.#byId.get(namespaceId);
  }

  /** Another process may have registered it. */
  async find(namespaceId: string): Promise<Namespace | undefined> {
    if (!this.#byId.has(namespaceId)) await this.load();
    return this.#byId.get(namespaceId);
  }

  registeredAttributes(namespaceId: string): RegisteredAttributes | undefined {
    return this.#byId.get(namespaceId)?.config.searchAttributes;
  }

  retentionMs(namespaceId: string): number {
    return this.#byId.get(namespaceId)?.config.retentionMs ?? this.#defaultRetentionMs;
  }

  /** False when the name is taken. */
  async register(name: string, config: Partial<NamespaceConfig>): Promise<boolean> {
    const namespaceId = this.#random.uuid();
    const full: NamespaceConfig = {
      description: config.description ?? '',
      ownerEmail: config.ownerEmail ?? '',
      data: config.data ?? {},
      retentionMs: config.retentionMs ?? this.#defaultRetentionMs,
      searchAttributes: config.searchAttributes ?? {},
    };
    const put = await this.#store.namespaces.put({
      namespace: { namespaceId, name, config: encodeConfig(full), version: 0 },
      expectedVersion: 0,
    });
    await this.load();
    return put;
  }

  /** Writes what `change` makes of the settings, as often as another process was quicker. */
  async update(
    name: string | null | undefined,
    change: (config: NamespaceConfig) => NamespaceConfig,
  ): Promise<Namespace> {
    await this.get(name);
    for (;;) {
      await this.load();
      const { namespaceId, name: found, config, version } = await this.get(name);
      const put = await this.#store.namespaces.put({
        namespace: { namespaceId, name: found, config: encodeConfig(change(config)), version },
        expectedVersion: version,
      });
      if (!put) continue;
      await this.load();
      return this.get(name);
    }
  }

  async delete(namespace: Namespace): Promise<void> {
    await this.#store.namespaces.delete({ namespaceId: namespace.namespaceId });
    await this.load();
  }

  async ensure(name: string): Promise<void> {
    await this.load();
    if (!this.#byName.has(name)) await this.register(name, {});
  }

  #remember(row: NamespaceRow): void {
    const stored = JSON.parse(decoder.decode(row.config)) as Partial<NamespaceConfig>;
    const config = { ...unset, retentionMs: this.#defaultRetentionMs, ...stored };
    const { namespaceId, name, version } = row;
    const namespace: Namespace = { namespaceId, name, config, version };
    this.#byName.set(row.name, namespace);
    this.#byId.set(row.namespaceId, namespace);
  }
}
