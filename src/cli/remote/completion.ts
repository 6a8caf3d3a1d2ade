import { type Command } from 'commander';
import { UsageError } from './errors.ts';
import { type RemoteTerminal } from './terminal.ts';

/** `completion bash|zsh|fish`. */
export function addCompletionCommand(program: Command, { write }: RemoteTerminal): void {
  program
    .command('completion <shell>')
    .description('Print the completion for bash, zsh or fish.')
    .addHelpText(
      'after',
      '\nbash: source <(signalbox completion bash)\nzsh:  source <(signalbox completion zsh)\nfish: signalbox completion fish | source',
    )
    .action(async (shell: string) => {
      const print = SHELLS[shell];
      if (!print) throw new UsageError('The shell must be bash, zsh or fish.');
      await write(print(listCompletions(program)));
    });
}

/** What may follow a line of commands: `create list …` after `token`, `--identity …` after `token create`. */
interface Completion {
  /** The commands so far, separated by spaces; empty at the beginning. */
  path: string;
  words: string[];
  /** Whether only other commands follow, so that a file name cannot. */
  isGroup: boolean;
}

function listCompletions(command: Command, path: string[] = []): Completion[] {
  const words = [
    ...command.commands.map((one) => one.name()),
    ...command.options.flatMap(({ long }) => (long ? [long] : [])),
    '--help',
  ];
  return [
    { path: path.join(' '), words, isGroup: command.commands.length > 0 },
    ...command.commands.flatMap((one) => listCompletions(one, [...path, one.name()])),
  ];
}

/**
 * Finds the words for the place of the cursor, for bash and zsh. The names of the variables avoid `path` and `words`, which are
 * special in zsh.
 * @param before the words between the name of the program and the cursor
 */
const findWords = (completions: readonly Completion[], before: string) => `  local place='' choices='' word
  for word in ${before}; do
    [[ $word == -* ]] && break
    place="\${place:+$place }$word"
  done
  while :; do
    case $place in
${completions.map(({ path, words }) => `    '${path}') choices='${words.join(' ')}' ;;`).join('\n')}
    esac
    [[ -n $choices || $place != *' '* ]] && break
    place=\${place% *}
  done`;

const SHELLS: Readonly<Record<string, (completions: readonly Completion[]) => string>> = {
  bash: (completions) => `_signalbox() {
${findWords(completions, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  COMPREPLY=($(compgen -W "$choices" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _signalbox signalbox`,
  zsh: (completions) => `(( $+functions[compdef] )) || { autoload -U compinit && compinit; }
_signalbox() {
${findWords(completions, '"${(@)words[2,CURRENT-1]}"')}
  compadd -- \${=choices} || _files
}
compdef _signalbox signalbox`,
  fish: (completions) =>
    completions
      .map(({ path, words, isGroup }) => {
        const parts = path.split(' ').filter(Boolean);
        const seen = parts.map((part) => `__fish_seen_subcommand_from ${part}`).join('; and ');
        const noFiles = isGroup ? ' -f' : '';
        return `complete -c signalbox${noFiles} -n '${seen || '__fish_use_subcommand'}' -a '${words.join(' ')}'`;
      })
      .join('\n'),
};
