/** `everstep completion`: scripts for shells, made from the commands themselves. */
import { Argument, Command } from 'commander';
import { completionEntries, shellQuoted, type CompletionEntry } from './completion-entries.ts';
import type { Terminal } from './terminal.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

const examples = `
Examples:
  echo 'source <(everstep completion bash)' >> ~/.bashrc
  echo 'source <(everstep completion zsh)' >> ~/.zshrc
  everstep completion fish > ~/.config/fish/completions/everstep.fish`;

export function completionCommand(terminal: Terminal, program: () => Command): Command {
  return new Command('completion')
    .description('Print a script that completes everstep’s commands and options in a shell.')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText('after', examples)
    .action((shell: Shell) => {
      terminal.out.write(scripts[shell](completionEntries(program())));
    });
}

const scripts: Readonly<Record<Shell, (entries: readonly CompletionEntry[]) => string>> = {
  bash: (entries) => `# bash completion for everstep
${bashWords(entries)}
_everstep() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local words
  words=$(_everstep_words "$current" "$previous" "\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _everstep everstep
`,
  zsh: (entries) => `#compdef everstep
# zsh completion for everstep
${bashWords(entries)}
_everstep() {
  local found
  found=$(_everstep_words "\${words[CURRENT]}" "\${words[CURRENT-1]}" "\${(@)words[2,CURRENT-1]}")
  if [ -n "$found" ]; then
    compadd -- \${=found}
  else
    _files
  fi
}
if [ "\${funcstack[1]}" = _everstep ]; then _everstep "$@"; else compdef _everstep everstep; fi
`,
  fish: (entries) => `# fish completion for everstep
${bashlessPath(entries)}
${entries.flatMap(fishLines).join('\n')}
`,
};

/**
 * What may stand at a place, in the words of both shells: the commands passed decide which list it is, and an option
 * with choices before the place gives its own.
 */
function bashWords(entries: readonly CompletionEntry[]): string {
  const arms = (cases: readonly (readonly [string, string])[]): string =>
    cases.map(([pattern, body]) => `    ${pattern}) ${body} ;;`).join('\n');
  const descend = entries.flatMap(({ path, commands }) =>
    commands.map(({ name }): [string, string] => [
      shellQuoted([...path, name].join(' ')),
      `at="$at $word"`,
    ]),
  );
  const choices = entries.flatMap(({ path, options }) =>
    options
      .filter((option) => option.choices.length > 0)
      .map((option): [string, string] => [
        option.flags.map((flag) => shellQuoted(`${path.join(' ')} ${flag}`)).join('|'),
        `printf '%s' ${shellQuoted(option.choices.join(' '))}; return`,
      ]),
  );
  const lists = entries.map(({ path, commands, options, choices: words }): [string, string] => {
    const flags = options.flatMap((option) => option.flags.filter((flag) => flag.startsWith('--')));
    const names = [...commands.map(({ name }) => name), ...words];
    return [
      shellQuoted(path.join(' ')),
      `if [ "\${current#-}" != "$current" ]; then printf '%s' ${shellQuoted(flags.join(' '))}; else printf '%s' ${shellQuoted(names.join(' '))}; fi`,
    ];
  });
  return `_everstep_words() {
  local current=$1 previous=$2 at=everstep word
  shift 2
  for word in "$@"; do
    case "$at $word" in
${arms(descend)}
    esac
  done
  case "$at $previous" in
${arms(choices)}
  esac
  case "$at" in
${arms(lists)}
  esac
}`;
}

function bashlessPath(entries: readonly CompletionEntry[]): string {
  const known = entries.flatMap(({ path, commands }) =>
    commands.map(({ name }) => shellQuoted([...path, name].join(' '))),
  );
  return `function __everstep_at
  set -l at everstep
  for word in (commandline -opc)[2..-1]
    if contains -- "$at $word" ${known.join(' ')}
      set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
complete -c everstep -f`;
}

function fishLines({ path, commands, options, choices }: CompletionEntry): string[] {
  const here = `complete -c everstep -n ${shellQuoted(`__everstep_at ${shellQuoted(path.join(' '))}`)}`;
  return [
    ...commands.map(({ name, description }) => `${here} -a ${name} -d ${shellQuoted(description)}`),
    ...(choices.length > 0 ? [`${here} -a ${shellQuoted(choices.join(' '))}`] : []),
    ...options.map(({ flags, description, takesValue, choices: values }) =>
      [
        here,
        ...flags.map((flag) =>
          flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        ),
        ...(values.length > 0 ? [`-x -a ${shellQuoted(values.join(' '))}`] : []),
        ...(takesValue && values.length === 0 ? ['-r -F'] : []),
        `-d ${shellQuoted(description)}`,
      ].join(' '),
    ),
  ];
}
