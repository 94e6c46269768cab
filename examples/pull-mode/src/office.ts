/**
 * The system of the user's own: an office with two tables of rows, served over HTTP. It knows nothing of Everstep, and
 * is no better than such systems are: now and then it answers 503, does not answer at all, or does what it was asked
 * and then closes the connection.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Table = 'invoices' | 'parcels';

export interface Row {
  readonly id: number;
  readonly text: string;
}

interface Stored extends Row {
  leasedUntil: number;
  reports: string[];
}

/** What goes wrong with every so-manieth request. */
export interface Faults {
  readonly refuseEvery: number;
  readonly hangEvery: number;
  readonly dropEvery: number;
}

const leaseMs = 1500;

export class Office {
  readonly #tables: Readonly<Record<Table, Map<number, Stored>>>;
  readonly #faults: Faults;
  readonly #server: Server;
  #requests = 0;
  readonly counts = { fetches: 0, reports: 0, refused: 0, hung: 0, dropped: 0 };

  constructor(rows: number, faults: Faults) {
    const table = (): Map<number, Stored> =>
      new Map(
        Array.from({ length: rows }, (_, index) => [
          index + 1,
          { id: index + 1, text: `row ${index + 1}`, leasedUntil: 0, reports: [] },
        ]),
      );
    this.#tables = { invoices: table(), parcels: table() };
    this.#faults = faults;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://office');
        this.#answer(
          `${request.method ?? ''} ${url.pathname}`,
          url,
          Buffer.concat(chunks),
          response,
        );
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What each row was reported with, in their order; a report that came twice stands there twice. */
  reports(table: Table): string[][] {
    return [...this.#tables[table].values()].map(({ reports }) => reports);
  }

  waiting(table: Table): number {
    return this.reports(table).filter((reports) => reports.length === 0).length;
  }

  #answer(route: string, url: URL, body: Buffer, response: ServerResponse): void {
    this.#requests += 1;
    const { refuseEvery, hangEvery, dropEvery } = this.#faults;
    if (this.#requests % refuseEvery === 0) {
      this.counts.refused += 1;
      response.writeHead(503).end();
      return;
    }
    if (this.#requests % hangEvery === 0) {
      this.counts.hung += 1;
      return;
    }
    const answer = this.#done(route, url, body);
    if (this.#requests % dropEvery === 0) {
      this.counts.dropped += 1;
      response.destroy();
      return;
    }
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  }

  #done(route: string, url: URL, body: Buffer): unknown {
    const limit = Number(url.searchParams.get('limit') ?? 10);
    switch (route) {
      // Shows what waits.
      case 'GET /invoices':
        this.counts.fetches += 1;
        return this.#open('invoices').slice(0, limit).map(shown);
      // Gives out what waits, for a while.
      case 'POST /parcels/claims': {
        this.counts.fetches += 1;
        const free = this.#open('parcels').filter(({ leasedUntil }) => leasedUntil < Date.now());
        const leased = free.slice(0, limit);
        for (const row of leased) row.leasedUntil = Date.now() + leaseMs;
        return leased.map(shown);
      }
      default: {
        const [, table, id] = /^PUT \/(invoices|parcels)\/(\d+)$/.exec(route) ?? [];
        const row = this.#tables[table as Table]?.get(Number(id));
        if (!row) return undefined;
        this.counts.reports += 1;
        row.reports.push((JSON.parse(body.toString()) as { status: string }).status);
        return {};
      }
    }
  }

  #open(table: Table): Stored[] {
    return [...this.#tables[table].values()].filter(({ reports }) => reports.length === 0);
  }
}

function shown({ id, text }: Stored): Row {
  return { id, text };
}
