import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { agent } from '../../../agent/cli/program.ts'
import { client } from '../../../collector/cli/client/program.ts'
import { server } from '../../../collector/cli/server/program.ts'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { withCompletion } from '../../../shared/cli/completion/command.ts'
import { allOptions } from '../../../shared/cli/parse.ts'
import { runProgram, type Program } from '../../../shared/cli/program.ts'
import { choice, someOf, text } from '../../../shared/config/value-types.ts'
import { hasCommand, hasPty, openPty } from '../../support/pty.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { recordTerminal } from '../../support/terminal.ts'

const scratch = useScratchDirectories('completion')
const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]
const present = (shell: Shell): boolean => hasCommand(shell)

/** Whatever a description says must be text for each shell. */
const HOSTILE = String.raw`It's "$(touch INJECTED)" [a:b] \ 100% ` + '`touch INJECTED` ; (x) <y> {z} *'
const run = (): 0 => 0
const sample = withCompletion({
  name: 'sample-tool',
  summary: 'For tests',
  version: '1',
  commands: [
    defineCommand({
      name: 'device list',
      summary: HOSTILE,
      json: true,
      options: {
        enrolment: { description: HOSTILE, value: choice(['pending', 'active', 'revoked']), placeholder: 'A:B' },
        formats: { description: 'Some.', value: someOf(['alpha', 'beta', 'gamma']) },
        state: { description: 'State.', value: choice(['open', 'closed']) },
        key: { description: 'A file.', value: text(), placeholder: 'FILE' },
        label: { description: 'A label.', value: text(), multiple: true },
      },
      run,
    }),
    defineCommand({
      name: 'device show',
      summary: 'Show one.',
      arguments: { ueid: { description: 'Which.' }, answer: { description: 'What.', value: choice(['yes', 'no']) } },
      options: { state: { description: 'State.', value: choice(['raw', 'signed']) } },
      run,
    }),
    defineCommand({
      name: 'inspect',
      summary: 'Look.',
      arguments: { file: { description: 'Files.', multiple: true } },
      options: { into: { description: 'Where to.', value: text(), placeholder: 'DIR' } },
      run,
    }),
  ],
})

async function scriptOf(program: Program, shell: Shell): Promise<string> {
  const terminal = recordTerminal()
  expect(await runProgram(program, ['completion', shell], terminal, parseArgs)).toBe(0)
  return terminal.stdout()
}

/** A directory in which the shell starts: its start file, the script, and files to complete. */
async function shellDirectory(shell: Shell, program: Program): Promise<string> {
  const directory = scratch()
  writeFileSync(join(directory, `completion.${shell}`), await scriptOf(program, shell))
  writeFileSync(join(directory, 'two words.bin'), '')
  mkdirSync(join(directory, 'target'))
  const tell = `printf '<%s>' "$@"; echo`
  const start = {
    bash: `bind 'set bell-style none'; PS1='ready> '; ${program.name}() { ${tell}; }; source ./completion.bash`,
    zsh: `unsetopt beep; PS1='ready> '; autoload -U compinit; compinit -D -u; ${program.name}() { ${tell}; }; source ./completion.zsh`,
    fish: `function fish_prompt; echo 'ready> '; end; function ${program.name}; printf '<%s>' $argv; echo; end; source ./completion.fish`,
  }[shell]
  writeFileSync(join(directory, 'start'), `${start}\n`)
  return directory
}

const interactive: Readonly<Record<Shell, string>> = {
  bash: 'bash --noprofile --rcfile start -i',
  zsh: 'zsh -f -i',
  fish: 'fish --no-config --interactive',
}

/** What is typed, with the key that completes, and what the program is called with then. */
const CASES: readonly (readonly [typed: string, told: string])[] = [
  ['dev\tli\t', '<device><list>'],
  ['help dev\tsh\t', '<help><device><show>'],
  ['ver\t', '<version>'],
  ['device list --enr\tpen\t', '<device><list><--enrolment><pending>'],
  ['device list --enrolment=rev\t', '<device><list><--enrolment=revoked>'],
  ['device list --enrolment active --st\tcl\t', '<device><list><--enrolment><active><--state><closed>'],
  ['device show --state si\t', '<device><show><--state><signed>'],
  ['device list --formats alpha,be\t', '<device><list><--formats><alpha,beta>'],
  ['device list --label a=b --js\t', '<device><list><--label><a=b><--json>'],
  ['device list --key two\t', '<device><list><--key><two words.bin>'],
  ['device show 0101 y\t', '<device><show><0101><yes>'],
  ['device show --state raw 0101 n\t', '<device><show><--state><raw><0101><no>'],
  ['inspect one two\t', '<inspect><one><two words.bin>'],
  ['inspect --into tar\t', '<inspect><--into><target/>'],
  ['completion fi\t', '<completion><fish>'],
]

/** zsh writes the equals sign itself, and takes the slash of a directory away where nothing follows it. */
const toldBy = (shell: Shell, words: string): string =>
  shell === 'zsh' ? words.replaceAll(/<(--[a-z]+)></g, '<$1=').replaceAll('/>', '>') : words

describe.each(SHELLS)('the completion for %s', (shell) => {
  const usable = present(shell) && hasPty
  describe.skipIf(!usable)(
    usable ? 'typed on a terminal' : `(skipped: no ${shell}, or no script of util-linux)`,
    () => {
      let directory: string
      beforeAll(async () => void (directory = await shellDirectory(shell, sample)))

      it('completes commands, options, closed values and files', async () => {
        const pty = openPty(interactive[shell], { directory })
        try {
          if (shell !== 'bash') pty.send('source ./start\n')
          await pty.until(/ready> /)
          for (const [typed, told] of CASES) {
            for (const part of `sample-tool ${typed}`.split(/(?<=\t)/)) {
              pty.send(part)
              // What is typed on while a completion is worked out would be taken before it.
              await new Promise((resolve) => setTimeout(resolve, 250))
            }
            pty.send('\n')
            const output = await pty.until(/<[^\n]*>\r?\n/)
            const called = /(<[^\n]*>)\r?\n$/.exec(output)?.[1] ?? ''
            expect([typed, toldBy(shell, called)]).toEqual([typed, toldBy(shell, told)])
          }
        } finally {
          pty.kill()
        }
        expect(existsSync(join(directory, 'INJECTED'))).toBe(false)
      }, 60_000)
    },
  )

  it.skipIf(!present(shell))('is a script that the shell can read, for every program', async () => {
    for (const program of [client, agent, server]) {
      const directory = await shellDirectory(shell, program)
      const flag = shell === 'fish' ? '--no-execute' : '-n'
      const { status, stderr } = spawnSync(shell, [flag, join(directory, `completion.${shell}`)], { encoding: 'utf8' })
      expect([program.name, status, stderr]).toEqual([program.name, 0, ''])
    }
  })
})

const wordsOf = (command: Command): string[] => Object.keys(allOptions(command)).map((name) => `--${name}`)

describe('every command of every program', () => {
  it.skipIf(!present('bash'))('has all of its options in bash', async () => {
    for (const program of [client, agent, server]) {
      const directory = await shellDirectory('bash', program)
      const name = `_${program.name.replaceAll('-', '_')}`
      const asking = program.commands.map(
        ({ name: path }) =>
          `COMP_WORDS=(${program.name} ${path} --); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); ${name}; echo "\${COMPREPLY[*]}"`,
      )
      const script = ['source ./completion.bash', ...asking].join('\n')
      const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { cwd: directory, encoding: 'utf8' })
      expect(stderr).toBe('')
      const expected = program.commands.map((command) => wordsOf(command).join(' '))
      expect(stdout.trimEnd().split('\n')).toEqual(expected)
    }
  })

  it.skipIf(!present('fish'))('has all of its options in fish, with what they mean', async () => {
    for (const program of [client, agent, server]) {
      const directory = await shellDirectory('fish', program)
      const asking = program.commands.map(({ name: path }) => `complete -C '${program.name} ${path} --'; echo END`)
      const script = ['source ./completion.fish', ...asking].join('\n')
      const { stdout } = spawnSync('fish', ['--no-config', '-c', script], { cwd: directory, encoding: 'utf8' })
      const answers = stdout.split('END\n').slice(0, -1)
      const expected = program.commands.map((command) =>
        Object.entries(allOptions(command))
          .map(([option, { description }]) => `--${option}\t${description}`)
          .sort(),
      )
      expect(answers.map((answer) => answer.trimEnd().split('\n').sort())).toEqual(expected)
    }
  })
})
