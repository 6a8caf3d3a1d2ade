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
      await write(print(listWords(program)));
    });
}

/** The words that may follow a line of commands, such as `token` → `create list …` and `token create` → `--identity …`. */
function listWords(command: Command, path: string[] = []): Map<string, string[]> {
  const words = [
    ...command.commands.map((one) => one.name()),
    ...command.options.flatMap(({ long }) => (long ? [long] : [])),
    '--help',
  ];
  return new Map([
    [path.join(' '), words],
    ...command.commands.flatMap((one) => [...listWords(one, [...path, one.name()])]),
  ]);
}

const cases = (words: Map<string, string[]>) =>
  [...words].map(([path, next]) => `    '${path}') words='${next.join(' ')}' ;;`).join('\n');

const SHELLS: Readonly<Record<string, (words: Map<string, string[]>) => string>> = {
  bash: (words) => `_signalbox() {
  local path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] && break
    path="\${path:+$path }$word"
  done
  while :; do
    case $path in
${cases(words)}
    esac
    [[ -n $words || $path != *' '* ]] && break
    path=\${path% *}
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _signalbox signalbox`,
  zsh: (words) => `autoload -U +X bashcompinit && bashcompinit
${SHELLS['bash']?.(words) ?? ''}`,
  fish: (words) =>
    [...words]
      .map(([path, next]) => {
        const parts = path.split(' ').filter(Boolean);
        const seen = parts.map((part) => `__fish_seen_subcommand_from ${part}`).join('; and ');
        return `complete -c signalbox -f -n '${seen || '__fish_use_subcommand'}' -a '${next.join(' ')}'`;
      })
      .join('\n'),
};
