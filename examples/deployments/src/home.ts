/** Where the tasks of a deployment live: in a store that a URL names, or on a Temporal server, `temporal://host:port`. */
import type { AsyncTaskComponentOptions } from 'everstep';

export function homeOf(url: string): Pick<AsyncTaskComponentOptions, 'store' | 'temporalAddress'> {
  const server = /^temporal:\/\/(.+)$/.exec(url)?.[1];
  return server === undefined ? { store: url } : { temporalAddress: server };
}
