#!/usr/bin/env node
/**
 * The `everstep` command. Each command has a file; what they share is in their options' files. What a command does is
 * loaded when it does it: options are read, and the address is listened on, before the engine is there.
 */
import module from 'node:module';
import { runProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

// Node 22 and later: what is loaded from here on is compiled once for all starts.
(module as { readonly enableCompileCache?: () => unknown }).enableCompileCache?.();

process.exitCode = await runProgram(process.argv.slice(2), processTerminal());
