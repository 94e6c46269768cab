/** Everstep's PostgreSQL store, from the built files, for what an application does not see of it. */
import type { Store } from 'everstep';

/** With the number of round trips since it was opened. */
export interface CountedStore extends Store {
  readonly queries: number;
}

interface StoreModule {
  readonly PostgresStore: new (options: { readonly settings: unknown }) => CountedStore;
}
interface SettingsModule {
  readonly settingsOf: (url: string) => unknown;
}

/** The part of the package `pg` that is used here. */
export interface Client {
  connect(): Promise<unknown>;
  query(query: {
    readonly text: string;
    /** Prepared once under that name. */
    readonly name?: string;
    readonly values?: readonly unknown[];
  }): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>;
  end(): Promise<void>;
}
interface DriverModule {
  readonly loadDriver: (description: string) => Promise<{
    readonly Client: new (options: { readonly connectionString: string }) => Client;
  }>;
}

function built<Module>(file: string): Promise<Module> {
  const url = new URL(`store/postgres/${file}.js`, import.meta.resolve('everstep'));
  return import(url.href) as Promise<Module>;
}

/** Not open yet. */
export async function postgresStore(url: string): Promise<CountedStore> {
  const { PostgresStore } = await built<StoreModule>('postgres-store');
  const { settingsOf } = await built<SettingsModule>('connection-settings');
  return new PostgresStore({ settings: settingsOf(url) });
}

/** A connection with nothing of Everstep's on it but the driver. */
export async function postgresClient(url: string): Promise<Client> {
  const { loadDriver } = await built<DriverModule>('driver');
  const { Client } = await loadDriver('the database of the benchmark');
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}
