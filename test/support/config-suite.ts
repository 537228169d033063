import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Command } from '../../shared/cli/command.ts'
import { runProgram } from '../../shared/cli/program.ts'
import { listOptions, type ConfigDefinition, type Sections } from '../../shared/config/definition.ts'
import { resolveConfig } from '../../shared/config/resolve.ts'
import { recordTerminal, type RecordedTerminal } from './terminal.ts'

export interface ConfigUnderTest<S extends Sections> {
  readonly definition: ConfigDefinition<S>
  readonly commands: readonly Command[]
  readonly show: readonly string[]
  readonly check: readonly string[]
  /** A configuration that names `path` as the file of a secret. */
  readonly withSecretFile: (path: string) => string
}

/** What holds for the configuration of every program, on the real file system. */
export function describeConfig<S extends Sections>(subject: ConfigUnderTest<S>): void {
  const { definition, show, check } = subject
  const { program } = definition
  const variable = (rest: string): string => `KEEPSEAL_${program.toUpperCase()}_${rest}`
  let directory = ''
  let file = ''

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-config-'))
    file = join(directory, `${program}.toml`)
    mkdirSync(join(directory, `${program}.d`))
    writeFileSync(file, '[log]\nlevel = "warn"\n')
  })

  afterEach(() => rmSync(directory, { recursive: true }))

  const writeDropIn = (text: string): void => writeFileSync(join(directory, `${program}.d`, '10.toml'), text)

  async function run(
    argv: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number; terminal: RecordedTerminal; everything: string }> {
    const terminal = recordTerminal({ env })
    const table = { name: 'sample', summary: 'A sample.', version: '0', commands: subject.commands }
    const code = await runProgram(table, [...argv, '--config', file], terminal, parseArgs)
    return { code, terminal, everything: terminal.stdout() + terminal.stderr() }
  }

  describe(`the options of the ${program}`, () => {
    test('have defaults that are valid alone and together', () => {
      for (const { name, option } of listOptions(definition)) {
        expect(v.is(option.type.schema, option.default), name).toBe(true)
      }
      expect(() => resolveConfig(definition, [])).not.toThrow()
    })

    test('are snake_case and described in a sentence', () => {
      for (const { name, option } of listOptions(definition)) {
        expect(name).toMatch(/^[a-z]+\.[a-z]+(_[a-z]+)*$/)
        expect(option.description, name).toMatch(/^[A-Z].*\.$/)
      }
    })

    test('hold no secret, only the paths of files that do', () => {
      for (const { name, option } of listOptions(definition)) {
        // A switch holds nothing, whatever it is about.
        const isSecret = typeof option.default !== 'boolean' && /(key|auth|password|token|secret)(_|$)/.test(name)
        expect(option.secretFile, name).toBe(isSecret)
        if (isSecret) expect(name).toMatch(/_file$/)
      }
    })
  })

  describe(`the configuration commands of the ${program}`, () => {
    test('show every value with its source', async () => {
      const { code, terminal } = await run(show)
      expect(code).toBe(0)
      for (const { key } of listOptions(definition)) expect(terminal.stdout()).toContain(`${key} = `)
      expect(terminal.stdout()).toContain(`level = "warn"  # ${file}`)
    })

    test('let drop-ins override the file, the environment those, and flags everything', async () => {
      const level = async (argv: readonly string[], env: Record<string, string>): Promise<unknown> =>
        JSON.parse((await run([...show, '--json', ...argv], env)).terminal.stdout()).options['log.level']
      const env = { [variable('LOG__LEVEL')]: 'debug' }
      expect(await level([], {})).toEqual({ value: 'warn', source: file })
      writeDropIn('[log]\nlevel = "error"')
      expect(await level([], {})).toEqual({ value: 'error', source: join(directory, `${program}.d`, '10.toml') })
      expect(await level([], env)).toEqual({ value: 'debug', source: `environment ${variable('LOG__LEVEL')}` })
      expect(await level(['--set', 'log.level=info'], env)).toEqual({ value: 'info', source: 'flag --set log.level' })
    })

    test('never print what is in a secret file', async () => {
      const secret = join(directory, 'secret')
      writeFileSync(secret, 'hunter2')
      writeDropIn(subject.withSecretFile(secret))
      for (const flags of [[], ['--json']]) {
        const { code, everything } = await run([...show, ...flags])
        expect(code).toBe(0)
        expect(everything).toContain(secret)
        expect(everything).not.toContain('hunter2')
      }
    })

    test('never print a secret that was put in place of its file', async () => {
      writeDropIn(subject.withSecretFile('hunter2'))
      for (const argv of [show, check, [...check, '--json']]) {
        const { code, everything } = await run(argv)
        expect([1, 2]).toContain(code)
        expect(everything).toContain('absolute path')
        expect(everything).not.toContain('hunter2')
      }
    })

    test('are content with a good configuration', async () => {
      const { code, terminal } = await run(check)
      expect([code, terminal.stderr()]).toEqual([0, ''])
      expect(terminal.stdout()).toContain(file)
    })

    test('tell everything that is wrong, as a finding', async () => {
      writeFileSync(file, '[log]\nlevle = "warn"')
      writeDropIn('[log]\nlevel = 3')
      const env = { [variable('LOG')]: 'x' }
      const { code, terminal } = await run(check, env)
      expect(code).toBe(1)
      for (const place of [file, join(directory, `${program}.d`, '10.toml'), 'environment']) {
        expect(terminal.stderr()).toContain(`\n  ${place}: `)
      }
      const json = await run([...check, '--json'], env)
      expect(json.code).toBe(1)
      expect(JSON.parse(json.terminal.stdout())).toMatchObject({
        valid: false,
        problems: [
          { code: 'config.unknown-key', name: 'log.levle' },
          { code: 'config.invalid-value', name: 'log.level' },
          { code: 'config.unknown-key', name: variable('LOG') },
        ],
      })
    })
  })
}
