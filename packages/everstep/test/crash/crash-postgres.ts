/**
 * The PostgreSQL store of a process that is to be killed: its pool passes the trapdoor. What SQLite does inside the
 * process happens here in the server, so a commit is held in its middle by a lock on a table that it is about to write.
 */
import pg from 'pg';
import { driverSettingsOf, settingsOf } from '../../src/store/postgres/connection-settings.ts';
import type {
  PooledClient,
  PostgresPool,
  PostgresQuery,
  PostgresResult,
} from '../../src/store/postgres/driver.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { killSelf, type Place, type Trapdoor } from './failpoints.ts';
import { passed } from './pause.ts';
import type { Recovery } from './trapped-store.ts';

/** Longer than a commit takes, most of the time. */
const answerMsMax = 3;
const looksMax = 50;

export function crashPostgres(url: string, trapdoor: Trapdoor, recovery: Recovery): Promise<Store> {
  const pool = new CrashPool(url, trapdoor, recovery);
  return Promise.resolve(new PostgresStore({ pool, schema: settingsOf(url).schema }));
}

/** A client of the driver's pool. */
interface DriverClient extends PooledClient {
  readonly processID?: number;
}

class CrashPool implements PostgresPool {
  readonly Client = pg.Client;
  readonly options: object;
  readonly #pool: pg.Pool;
  readonly #schema: string;
  readonly #trapdoor: Trapdoor;
  readonly #recovery: Recovery;

  constructor(url: string, trapdoor: Trapdoor, recovery: Recovery) {
    const settings = settingsOf(url);
    this.options = { ...driverSettingsOf(settings), max: settings.connections };
    this.#pool = new pg.Pool(this.options);
    this.#schema = settings.schema;
    this.#trapdoor = trapdoor;
    this.#recovery = recovery;
  }

  connect(callback: (error: Error | undefined, client: unknown) => void): void {
    this.#pool.connect((error, given) => {
      const client = given as unknown as DriverClient | undefined;
      const hold = (): Promise<pg.Client> => this.#hold();
      callback(error, client && new CrashClient(client, this.#trapdoor, this.#recovery, hold));
    });
  }

  /** A connection whose transaction lets no commit get to its end. */
  async #hold(): Promise<pg.Client> {
    const holder = new pg.Client(this.options);
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('BEGIN');
    const tables = `"${this.#schema}".history, "${this.#schema}".tasks`;
    await holder.query(`LOCK TABLE ${tables} IN SHARE ROW EXCLUSIVE MODE`);
    return holder;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }

  on(event: 'error', listener: (error: Error) => void): void {
    this.#pool.on(event, listener);
  }

  off(event: 'error', listener: (error: Error) => void): void {
    this.#pool.off(event, listener);
  }
}

/** What becomes of a commit whose process dies while the server works on it. */
type Fate = 'undone' | 'finished';

class CrashClient implements PooledClient {
  readonly #client: DriverClient;
  readonly #trapdoor: Trapdoor;
  readonly #recovery: Recovery;
  readonly #hold: () => Promise<pg.Client>;

  constructor(
    client: DriverClient,
    trapdoor: Trapdoor,
    recovery: Recovery,
    hold: () => Promise<pg.Client>,
  ) {
    this.#client = client;
    this.#trapdoor = trapdoor;
    this.#recovery = recovery;
    this.#hold = hold;
  }

  query(query: PostgresQuery): Promise<PostgresResult> {
    const { text } = query;
    if (text.includes('commit_1($1')) return this.#commit(query);
    if (/\bCREATE TABLE (runs|next_form)\b/.test(text)) return this.#migrate(query);
    if (text === 'COMMIT') return this.#commitMigration(query);
    return this.#client.query(query);
  }

  async #commit(query: PostgresQuery): Promise<PostgresResult> {
    const isUnderWay = this.#recovery.isUnderWay;
    this.#trapdoor.pass('before-begin');
    if (this.#isDue('in-transaction', isUnderWay)) return this.#die('undone', query);
    if (this.#isDue('mid-statement')) return this.#die('finished', query);
    const answered = this.#client.query(query);
    if (this.#isDue('before-commit', isUnderWay)) {
      const chance = this.#trapdoor.trap?.chance ?? 0;
      await passed(answered, Math.floor(chance * answerMsMax));
      killSelf();
    }
    const result = await answered;
    this.#trapdoor.pass('after-commit');
    if (isUnderWay) this.#trapdoor.pass('recovery:after-commit');
    return result;
  }

  #isDue(place: 'in-transaction' | 'mid-statement' | 'before-commit', isRecovery = false): boolean {
    if (this.#trapdoor.isDue(place)) return true;
    return isRecovery && this.#trapdoor.isDue(`recovery:${place}` as Place);
  }

  /** What was held is free with this process: the server finishes the commit, unless its backend is ended first. */
  async #die(fate: Fate, query: PostgresQuery): Promise<never> {
    const holder = await this.#hold();
    const { processID } = this.#client;
    this.#client.query(query).catch(() => undefined);
    // One that writes neither of the tables has been answered meanwhile.
    for (let looks = 0; looks < looksMax && !(await isWaiting(holder, processID)); looks += 1);
    if (fate === 'undone') await holder.query('SELECT pg_terminate_backend($1, 1000)', [processID]);
    killSelf();
  }

  async #migrate(query: PostgresQuery): Promise<PostgresResult> {
    this.#trapdoor.pass('migration:before-sql');
    if (this.#trapdoor.isDue('migration:inside-sql')) {
      const statements = query.text.split(/(?=\nCREATE )/);
      const chance = this.#trapdoor.trap?.chance ?? 0;
      const done = Math.floor(chance * (statements.length - 1)) + 1;
      await this.#client.query({ ...query, text: statements.slice(0, done).join('') });
      killSelf();
    }
    const result = await this.#client.query(query);
    this.#trapdoor.pass('migration:after-sql');
    return result;
  }

  async #commitMigration(query: PostgresQuery): Promise<PostgresResult> {
    this.#trapdoor.pass('migration:before-commit');
    const result = await this.#client.query(query);
    this.#trapdoor.pass('migration:after-commit');
    return result;
  }

  on(event: 'error', listener: (error: Error) => void): void {
    this.#client.on(event, listener);
  }

  off(event: 'error', listener: (error: Error) => void): void {
    this.#client.off(event, listener);
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy);
  }
}

async function isWaiting(asked: pg.Client, processID: number | undefined): Promise<boolean> {
  const { rows } = await asked.query<{ readonly wait: string | null }>(
    'SELECT wait_event_type AS wait FROM pg_stat_activity WHERE pid = $1',
    [processID],
  );
  return rows[0]?.wait === 'Lock';
}
