/**
 * The worker of `everstep dev`: `everstep worker` that its parent tells to stop. Signals are for the parent: Ctrl-C
 * reaches all processes of a terminal. Where the parent is gone it drains and ends.
 */
import { runProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('message', () => stop.abort());
process.on('disconnect', () => stop.abort());
process.exitCode = await runProgram(process.argv.slice(2), processTerminal(stop.signal));
if (process.connected) process.disconnect();
