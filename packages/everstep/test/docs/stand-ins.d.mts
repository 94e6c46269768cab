/**
 * What the documents' examples call and the reader has: stand-ins for their own code. Global for the examples, where it
 * is copied to as a .d.ts; with this ending it is not global for the other tests.
 */
interface Repeatable {
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}
declare function sendMail(to: string, text: string, options?: Repeatable): Promise<void>;
declare function chargeCard(card: string, cents: number, options?: Repeatable): Promise<string>;
declare function convertPage(page: string, signal?: AbortSignal): Promise<void>;
declare function makeThumbnail(file: string, size: number): Promise<string>;
declare function writeReport(name: string): Promise<string>;
declare function download(url: string, signal?: AbortSignal): Promise<string>;
/** Younger than the Node types this is checked with. */
declare module 'node:sqlite' {
  class DatabaseSync {
    constructor(path: string, options?: { readonly readOnly?: boolean; readonly timeout?: number });
    readonly isTransaction: boolean;
    exec(sql: string): void;
    prepare(sql: string): { run(...values: string[]): unknown };
    close(): void;
  }
}
