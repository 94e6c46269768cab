#!/usr/bin/env node
/**
 * The `everstep` command. Each command has a file; what they share is in their options' files. What a command does is
 * loaded when it does it: options are read, and the address is listened on, before the engine is there.
 */
import module from 'node:module';
import { Command } from 'commander';
import { serverVersion } from '../engine/version.ts';
import { serverCommand } from './server.ts';

const program = new Command('everstep')
  .description('Durable tasks and workflows: the server for any Temporal client.')
  .version(serverVersion)
  .enablePositionalOptions()
  .addCommand(serverCommand());

// Node 22 and later: what is loaded from here on is compiled once for all starts.
(module as { readonly enableCompileCache?: () => unknown }).enableCompileCache?.();

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`everstep: ${message}\n`);
  process.exitCode = 1;
}
