/** The commands and options of the command line as plain data, for the shells' completions. */
import type { Command } from 'commander';

export interface CompletionEntry {
  /** `['everstep', 'tasks', 'list']` */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly CompletionOption[];
  /** Of its arguments. */
  readonly choices: readonly string[];
}

interface CompletionOption {
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** One for each command, parents first. */
export function completionEntries(
  command: Command,
  above: readonly string[] = [],
): CompletionEntry[] {
  const path = [...above, command.name()];
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  return [
    {
      path,
      commands: commands.map((child) => ({ name: child.name(), description: child.description() })),
      options: help.visibleOptions(command).map((option) => ({
        flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
        description: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
      })),
      choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    },
    ...commands
      .filter((child) => child.name() !== 'help')
      .flatMap((child) => completionEntries(child, path)),
  ];
}

/** A word for a POSIX shell and for fish: quoted throughout. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
