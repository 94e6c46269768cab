#!/usr/bin/env node
/** The `everstep` command. Each command has a file; what they share is in their options' files. */
import { Command } from 'commander';
import { serverVersion } from '../engine/version.ts';
import { serverCommand } from './server.ts';

const program = new Command('everstep')
  .description('Durable tasks and workflows: the server for any Temporal client.')
  .version(serverVersion)
  .enablePositionalOptions()
  .addCommand(serverCommand());

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`everstep: ${message}\n`);
  process.exitCode = 1;
}
