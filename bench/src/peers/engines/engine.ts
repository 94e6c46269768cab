/** What is compared: an engine with client and worker in one process, through its own public interface. */
import type { OneStepParams } from '../../params.ts';

export interface Engine {
  /** Hands in a task with one step, which adds 1 to the number, and waits for its result. */
  oneStep(params: OneStepParams): Promise<number>;
  /** The same with five steps one after another; absent where there are no steps. */
  fiveSteps?(params: { readonly number: number }): Promise<number>;
  stop(): Promise<void>;
}

export interface Setting {
  /** Where its packages are installed. */
  readonly packages: string;
  /** For its files, on a disk. */
  readonly folder: string;
  /** Of its server. */
  readonly urls: Readonly<Record<string, string>>;
}

export type StartEngine = (setting: Setting) => Promise<Engine>;

/** @throws Error when the server gave no such address. */
export function urlOf({ urls }: Setting, name: string): string {
  const url = urls[name];
  if (url === undefined) throw new Error(`no server gave the address of ${name}`);
  return url;
}
