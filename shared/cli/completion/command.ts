import { choice } from '../../config/value-types.ts'
import { defineCommand } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Program } from '../program.ts'
import { bashCompletion } from './bash.ts'
import { fishCompletion } from './fish.ts'
import { completionOf, type Completion } from './model.ts'
import { zshCompletion } from './zsh.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const

type Shell = (typeof SHELLS)[number]

const scripts: Readonly<Record<Shell, (completion: Completion) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

export const completionScript = (program: Program, shell: Shell): string => scripts[shell](completionOf(program))

/** The program with a command `completion`, which completes itself as well. */
export function withCompletion(definition: Program): Program {
  const { name } = definition
  const completion = defineCommand({
    name: 'completion',
    summary: 'Print the completion of commands, options and values for a shell',
    description: ['The Debian packages install it where the shells look for it.'],
    examples: [
      `source <(${name} completion bash)     # in ~/.bashrc`,
      `source <(${name} completion zsh)      # in ~/.zshrc, after compinit`,
      `${name} completion fish | source      # in ~/.config/fish/config.fish`,
    ],
    arguments: { shell: { description: 'bash, zsh or fish.', value: choice(SHELLS) } },
    run: ({ arguments: { shell }, terminal }) => {
      terminal.write(completionScript(program, shell))
      return exitCodes.good
    },
  })
  const program: Program = { ...definition, commands: [...definition.commands, completion] }
  return program
}
