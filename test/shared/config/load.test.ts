import { describe, expect, test } from 'vitest'
import { parse } from 'smol-toml'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { dropInDirectory, loadConfig, type ConfigFiles } from '../../../shared/config/load.ts'
import { ConfigurationError } from '../../../shared/config/problems.ts'
import { configAsToml, shownOptions } from '../../../shared/config/show.ts'
import { sample } from './sample.ts'

const fault = (code: string): Error => Object.assign(new Error(code), { code })

/** Files by path; an Error in place of a content is thrown. */
function filesOf(content: Record<string, string | Uint8Array | Error>): ConfigFiles {
  return {
    read: (path) => {
      const found = content[path] ?? fault('ENOENT')
      if (found instanceof Error) throw found
      return typeof found === 'string' ? utf8(found) : found
    },
    list: (directory) => {
      const names = Object.keys(content).filter((path) => path.startsWith(`${directory}/`))
      if (names.length === 0) throw fault('ENOENT')
      return names.map((path) => path.slice(directory.length + 1))
    },
  }
}

function problemsOf(load: () => unknown): ConfigurationError['problems'] {
  try {
    load()
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

const MAIN = '/etc/keepseal/sample.toml'

describe('loadConfig', () => {
  test('reads defaults, file, drop-ins by name, environment and flags in this order', () => {
    const files = filesOf({
      '/etc/keepseal/sample.d/20-b.toml': '[report]\nlabel = "20"\nresend_seconds = 2020',
      [MAIN]: '[report]\nlabel = "main"\nlevel = "high"\nresend_seconds = 2000\ninterval_seconds = 200',
      '/etc/keepseal/sample.d/10-a.toml': '[report]\nlabel = "10"\nresend_seconds = 2010\ninterval_seconds = 210',
      '/etc/keepseal/sample.d/30-c.toml.dpkg-old': 'not read',
      '/etc/keepseal/sample.d/.40-hidden.toml': 'not read',
    })
    const environment = { KEEPSEAL_SAMPLE_REPORT__LABEL: 'environment', KEEPSEAL_SAMPLE_REPORT__VERBOSE: 'true' }
    const flag = { name: ['report', 'verbose'], value: false, source: { kind: 'flag' as const, flag: '--quiet' } }
    const loaded = loadConfig(sample, { files, environment, flags: [flag] })
    expect(loaded.filesRead).toEqual([MAIN, '/etc/keepseal/sample.d/10-a.toml', '/etc/keepseal/sample.d/20-b.toml'])
    const sources = new Map(shownOptions(sample, loaded).map(({ name, value, source }) => [name, [value, source]]))
    expect(sources.get('report.pcrs')).toEqual([[0, 7], 'default'])
    expect(sources.get('report.level')).toEqual(['high', MAIN])
    expect(sources.get('report.interval_seconds')).toEqual([210, '/etc/keepseal/sample.d/10-a.toml'])
    expect(sources.get('report.resend_seconds')).toEqual([2020, '/etc/keepseal/sample.d/20-b.toml'])
    expect(sources.get('report.label')).toEqual(['environment', 'environment KEEPSEAL_SAMPLE_REPORT__LABEL'])
    expect(sources.get('report.verbose')).toEqual([false, 'flag --quiet'])
  })

  test('does without a file in the default place, but not without one that was asked for', () => {
    expect(loadConfig(sample, { files: filesOf({}), environment: {} }).filesRead).toEqual([])
    const problems = problemsOf(() => loadConfig(sample, { files: filesOf({}), environment: {}, file: '/x.toml' }))
    expect(problems).toMatchObject([{ code: 'config.unreadable', place: '/x.toml' }])
  })

  test('a file that may not be read is a problem wherever it is', () => {
    const files = filesOf({ [MAIN]: fault('EACCES'), '/etc/keepseal/sample.d/a.toml': fault('EISDIR') })
    const problems = problemsOf(() => loadConfig(sample, { files, environment: {} }))
    expect(problems).toMatchObject([
      { code: 'config.unreadable', place: MAIN },
      { code: 'config.unreadable', place: '/etc/keepseal/sample.d/a.toml' },
    ])
  })

  test('broken syntax is told by line and column, without the text that stands there', () => {
    const files = filesOf({ [MAIN]: '[server]\nkey_file = hunter2\n' })
    const [problem] = problemsOf(() => loadConfig(sample, { files, environment: {} }))
    expect(problem).toMatchObject({ code: 'config.syntax', place: `${MAIN}:2:12` })
    expect(problem?.message).not.toContain('hunter2')
  })

  test('broken syntax in one file does not hide the problems of the others', () => {
    const files = filesOf({ [MAIN]: '[', '/etc/keepseal/sample.d/a.toml': '[report]\nlevle = 1' })
    const codes = problemsOf(() => loadConfig(sample, { files, environment: {} })).map(({ code }) => code)
    expect(codes).toEqual(['config.syntax', 'config.unknown-key'])
  })

  test('bytes that are not UTF-8 are a syntax error', () => {
    const files = filesOf({ [MAIN]: new Uint8Array([0x5b, 0xff]) })
    expect(problemsOf(() => loadConfig(sample, { files, environment: {} }))).toMatchObject([{ code: 'config.syntax' }])
  })

  test('a fault of the program itself is no configuration problem', () => {
    const files = { ...filesOf({}), read: () => expect.fail('broken') }
    expect(() => loadConfig(sample, { files, environment: {} })).toThrow('broken')
  })

  test('drop-ins are looked for beside the file', () => {
    expect(dropInDirectory('/a/b.toml')).toBe('/a/b.d')
    expect(dropInDirectory('/a/b.conf')).toBe('/a/b.conf.d')
  })
})

test('what config show prints is a configuration file with the same values', () => {
  const files = filesOf({ [MAIN]: '[report]\nlabel = "a \\"b\\" \\\\ # ü"\npcrs = [1, 2]\nverbose = true' })
  const loaded = loadConfig(sample, { files, environment: {} })
  const again = loadConfig(sample, { files: filesOf({ [MAIN]: configAsToml(sample, loaded) }), environment: {} })
  expect(again.values).toEqual(loaded.values)
  expect(Object.keys(parse(configAsToml(sample, loaded)))).toEqual(['server', 'report'])
})
