import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { agent } from '../../../agent/cli/program.ts'
import { agentConfig } from '../../../agent/config/options.ts'
import { client } from '../../../collector/cli/client/program.ts'
import { FILE_KEYS } from '../../../collector/cli/client/settings.ts'
import { server } from '../../../collector/cli/server/program.ts'
import { collectorConfig } from '../../../collector/config/options.ts'
import { agentFiles, collectorFiles } from '../../../deploy/manual/main.ts'
import { literal, page, prose } from '../../../deploy/manual/roff.ts'
import { allOptions } from '../../../shared/cli/parse.ts'
import { listOptions, type ConfigDefinition, type Sections } from '../../../shared/config/definition.ts'
import { hasCommand } from '../../support/pty.ts'

const DATE = '2026-11-26'
const hasMandoc = spawnSync('mandoc', ['-T', 'utf8'], { input: '', stdio: 'pipe' }).error === undefined
const hasGroff = hasCommand('groff')

const pages = [...agentFiles(DATE), ...collectorFiles(DATE)].filter(({ path }) => path.includes('/man/'))
const pageOf = (name: string): string => {
  const found = pages.find(({ path }) => path.endsWith(`/${name}`))
  if (found === undefined) throw new Error(`no page ${name}`)
  return found.content
}

/** Bold is written as the letter, backspace, the letter. */
const OVERSTRIKE = new RegExp(`.${String.fromCharCode(8)}`, 'gu')

function rendered(source: string, width: number): string {
  const { stdout, stderr } = spawnSync('mandoc', ['-T', 'utf8', '-O', `width=${width}`], {
    input: source,
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  return stdout.replaceAll(OVERSTRIKE, '')
}

describe('the manual pages', () => {
  it('tell every command with every option', () => {
    for (const program of [agent, server, client]) {
      for (const command of program.commands) {
        const group = program === client ? `-${command.name.split(' ')[0] ?? ''}` : ''
        const content = pageOf(`${program.name}${group}.1`)
        expect(content).toContain(`.SS ${literal(`${program.name} ${command.name}`).replaceAll(' ', '\\ ')}\n`)
        for (const name of Object.keys(allOptions(command))) expect(content).toContain(literal(`--${name}`))
      }
    }
  })

  it('tell every option of the configuration files, with its default', () => {
    const expectAll = <S extends Sections>(definition: ConfigDefinition<S>): void => {
      const content = pageOf(`keepseal-${definition.program}.toml.5`)
      for (const { key, option } of listOptions(definition)) {
        expect(content).toContain(`\\fB${literal(key)}\\fR\n${prose(option.description)}\n`)
      }
    }
    expectAll(agentConfig)
    expectAll(collectorConfig)
    expect(pageOf('keepseal-agent.toml.5')).toContain('/var/lib/keepseal-agent')
    for (const [key, { description, variable }] of Object.entries(FILE_KEYS)) {
      const entry = `\\fB${literal(key)}\\fR\n${prose(description)}\n`
      expect(pageOf('keepseal-cli.toml.5')).toContain(entry)
      expect(pageOf('keepseal-cli.toml.5')).toContain(variable)
    }
  })

  it('are the same when they are made again', () => {
    expect(agentFiles(DATE)).toEqual(agentFiles(DATE))
  })

  it.skipIf(!hasGroff)(`have nothing that groff warns of${hasGroff ? '' : ' (skipped: no groff)'}`, () => {
    for (const { path, content } of pages) {
      const { status, stderr } = spawnSync('groff', ['-ww', '-man', '-Tutf8', '-z'], {
        input: content,
        encoding: 'utf8',
      })
      expect([path, status, stderr]).toEqual([path, 0, ''])
    }
  })

  describe.skipIf(!hasMandoc)(hasMandoc ? 'by mandoc' : '(skipped: no mandoc)', () => {
    let names: string[]
    beforeAll(() => void (names = pages.map(({ path }) => path)))

    it('have nothing that it warns of, and fit 80 columns', () => {
      for (const { path, content } of pages) {
        const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning'], { input: content, encoding: 'utf8' })
        expect([path, stdout]).toEqual([path, ''])
      }
      expect(names).toContain('usr/share/man/man8/keepseal-measure.8')
      const tooWide = rendered(pageOf('keepseal-device.1'), 80)
        .split('\n')
        .filter((line) => line.length > 80)
      expect(tooWide).toEqual([])
    })

    it('show any text as it is, whatever roff would make of it', () => {
      const texts = fc.sample(
        fc.string({ unit: fc.constantFrom(...`.'"\`\\-^~%&{}()[]*$ abnfR0…→ü`), minLength: 1, maxLength: 60 }),
        300,
      )
      const sought = texts.map((text) => text.replaceAll(/\s+/g, ' ').trim()).filter((text) => text !== '')
      const head = { name: 'x', section: 1 as const, summary: 's', version: '1', date: DATE }
      for (const write of [prose, literal]) {
        const body = sought.flatMap((text) => ['.br', write(text)])
        const lines = rendered(page(head, ['.SH TEXT', 'first', ...body]).content, 400).split('\n')
        const start = lines.findIndex((line) => line.trim() === 'first')
        expect(lines.slice(start + 1, start + 1 + sought.length).map((line) => line.trim())).toEqual(sought)
      }
    })
  })
})
