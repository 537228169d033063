import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { ConfigurationError } from '../../../shared/config/problems.ts'
import { resolveConfig } from '../../../shared/config/resolve.ts'
import {
  settingFromAssignment,
  settingsFromEnvironment,
  settingsFromToml,
  type Setting,
  type Source,
} from '../../../shared/config/settings.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { sample } from './sample.ts'

function toml(text: string, path = '/etc/sample.toml'): Setting[] {
  const outcome = settingsFromToml(sample, path, utf8(text))
  if (!Array.isArray(outcome)) throw new Error(outcome.message)
  return outcome
}

function problemsOf(settings: readonly Setting[]): ConfigurationError['problems'] {
  try {
    resolveConfig(sample, settings)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

const environment = (variables: Record<string, string>): Setting[] => settingsFromEnvironment(sample, variables)

describe('precedence', () => {
  test('without any setting everything is the default, and says so', () => {
    const { values, origin } = resolveConfig(sample, [])
    expect(values.report.intervalSeconds).toBe(300)
    expect(values.report.pcrs).toEqual([0, 7])
    expect([...origin.values()].every(({ kind }) => kind === 'default')).toBe(true)
    expectTypeOf(values.report.level).toEqualTypeOf<'low' | 'high'>()
    expectTypeOf(values.report.pcrs).toEqualTypeOf<readonly number[]>()
  })

  test('of any layering the last setting of an option wins, and is named as its origin', () => {
    const source: fc.Arbitrary<Source> = fc.oneof(
      fc.record({ kind: fc.constant('file' as const), path: fc.stringMatching(/^\/[a-z]{1,5}$/) }),
      fc.record({ kind: fc.constant('environment' as const), variable: fc.stringMatching(/^[A-Z]{1,5}$/) }),
      fc.record({ kind: fc.constant('flag' as const), flag: fc.stringMatching(/^--[a-z]{1,5}$/) }),
    )
    const setting = fc.oneof(
      fc.record({
        name: fc.constant(['report', 'interval_seconds']),
        value: fc.integer({ min: 10, max: 1000 }),
        source,
      }),
      fc.record({ name: fc.constant(['report', 'verbose']), value: fc.boolean(), source }),
      fc.record({ name: fc.constant(['report', 'level']), value: fc.constantFrom('low', 'high'), source }),
    )
    const read = (name: string, values: ReturnType<typeof resolveConfig<typeof sample.sections>>['values']): unknown =>
      ({
        'report.interval_seconds': values.report.intervalSeconds,
        'report.verbose': values.report.verbose,
        'report.level': values.report.level,
      })[name]
    fc.assert(
      fc.property(fc.array(setting, { maxLength: 20 }), (settings) => {
        const { values, origin } = resolveConfig(sample, settings)
        for (const name of ['report.interval_seconds', 'report.verbose', 'report.level']) {
          const last = settings.findLast((each) => each.name.join('.') === name)
          expect(origin.get(name)).toEqual(last?.source ?? { kind: 'default' })
          if (last !== undefined) expect(read(name, values)).toBe(last.value)
        }
      }),
    )
  })

  test('the values cannot be changed afterwards', () => {
    const { values } = resolveConfig(sample, toml('[report]\npcrs = [1, 2]'))
    expect(Object.isFrozen(values)).toBe(true)
    expect(Object.isFrozen(values.report)).toBe(true)
    expect(Object.isFrozen(values.report.pcrs)).toBe(true)
  })
})

describe('unknown keys', () => {
  test.each([
    ['a misspelt key', '[report]\nintervall_seconds = 20', 'report.interval_seconds'],
    ['a misspelt section', '[raport]\nlevel = "low"', 'report.level'],
    ['an empty misspelt section', '[raport]', 'report'],
    ['a key in the wrong section', '[server]\nverbose = true', 'report.verbose'],
    ['a table below a section', '[report.levle]\nx = 1', 'report.level'],
  ])('%s is refused with the right name', (_, text, suggestion) => {
    const problems = problemsOf(toml(text))
    expect(problems).toMatchObject([{ code: 'config.unknown-key', place: '/etc/sample.toml' }])
    expect(problems[0]?.message).toContain(`did you mean ${suggestion}?`)
  })

  test.each(['__proto__', 'constructor', 'toString'])('%s is a key like any other', (name) => {
    expect(problemsOf(toml(`[report]\n${name} = 1`))).toMatchObject([{ code: 'config.unknown-key' }])
    expect(problemsOf(toml(`[${name}]\nx = 1`))).toMatchObject([{ code: 'config.unknown-key' }])
    expect(problemsOf(toml(`${name} = 1`))).toMatchObject([{ code: 'config.unknown-key' }])
  })

  test('a dotted name in quotes is not the option of that name', () => {
    expect(problemsOf(toml('"report.level" = "high"'))).toMatchObject([{ code: 'config.unknown-key' }])
  })

  test('a section given as a value is told apart from a misspelt one', () => {
    expect(problemsOf(toml('report = 1'))[0]?.message).toContain('[report]')
    expect(problemsOf(toml('[[report]]\nlevel = "low"'))).toMatchObject([{ code: 'config.unknown-key' }])
  })

  test('a variable of the environment is refused with the right variable', () => {
    const problems = problemsOf(environment({ KEEPSEAL_SAMPLE_REPORT_LEVEL: 'low' }))
    expect(problems).toMatchObject([{ code: 'config.unknown-key', place: 'environment' }])
    expect(problems[0]?.message).toContain('did you mean KEEPSEAL_SAMPLE_REPORT__LEVEL?')
  })

  test('variables of others are left alone', () => {
    expect(problemsOf(environment({ KEEPSEAL_OTHER_REPORT__LEVEL: 'x', PATH: '/bin' }))).toEqual([])
  })
})

describe('invalid values', () => {
  test.each([
    ['interval_seconds = 9'],
    ['interval_seconds = 1001'],
    ['interval_seconds = 20.5'],
    ['interval_seconds = "20"'],
    ['interval_seconds = 2020-01-01'],
    ['verbose = 1'],
    ['verbose = "true"'],
    ['label = "far longer than twenty characters"'],
    ['label = "a\\u001b[2J"'],
    ['level = "middle"'],
    ['pcrs = []'],
    ['pcrs = [24]'],
    ['pcrs = [7, 0]'],
    ['pcrs = [7, 7]'],
    ['pcrs = ["7"]'],
  ])('%s is refused', (line) => {
    const problems = problemsOf(toml(`[report]\n${line}`))
    expect(problems).toMatchObject([{ code: 'config.invalid-value', place: '/etc/sample.toml' }])
  })

  test.each([
    ['http://example.com'],
    ['https://user:pass@example.com'],
    ['https://user@example.com'],
    ['https://example.com/?token=x'],
    ['https://example.com/#x'],
    ['https://'],
    ['example.com:8443'],
    ['http://localhost.example.com'],
    ['http://127.0.0.1.example.com'],
    ['ftp://example.com'],
    ['https://example.com/\u202e'],
  ])('the server %s is refused', (url) => {
    const settings = [{ name: ['server', 'url'], value: url, source: { kind: 'flag' as const, flag: '--url' } }]
    expect(problemsOf(settings)).toMatchObject([{ code: 'config.invalid-value', place: '--url' }])
  })

  test.each(['', 'https://example.com:8443', 'https://[2001:db8::1]:8443', 'http://localhost:1', 'http://[::1]:1'])(
    'the server "%s" is accepted',
    (url) => {
      expect(resolveConfig(sample, environment({ KEEPSEAL_SAMPLE_SERVER__URL: url })).values.server.url).toBe(url)
    },
  )

  test('a secret that was put where the path of its file belongs is not repeated', () => {
    for (const [key, secret] of [
      ['key_file', 'hunter2'],
      ['url', 'https://root:hunter2@example.com'],
    ]) {
      const settings = toml(`[server]\n${key} = "${secret}"`)
      expect(() => resolveConfig(sample, settings)).toThrow(ConfigurationError)
      expect(JSON.stringify(problemsOf(settings))).not.toContain('hunter2')
    }
  })

  test('a value is refused even where a later one overrides it', () => {
    const settings = [...toml('[report]\nlevel = "middle"'), settingFromAssignment(sample, 'report.level=low')]
    expect(problemsOf(settings)).toHaveLength(1)
  })

  test('options that contradict each other are refused', () => {
    expect(problemsOf(toml('[report]\nresend_seconds = 20'))).toMatchObject([
      { code: 'config.invalid-value', name: 'report.resend_seconds', place: '/etc/sample.toml' },
    ])
  })

  test('nothing is concluded from an option whose value was refused', () => {
    expect(problemsOf(toml('[report]\nresend_seconds = 20\ninterval_seconds = "15"'))).toHaveLength(1)
  })
})

test('all problems of all places are told at once', () => {
  const settings = [
    ...toml('stray = 1\n[report]\nlevle = "low"\ninterval_seconds = 1'),
    ...toml('[report]\nverbose = 3', '/etc/sample.d/10.toml'),
    ...environment({ KEEPSEAL_SAMPLE_REPORT__PCRS: '1,x', KEEPSEAL_SAMPLE_X: '' }),
    settingFromAssignment(sample, 'report.label=\u0007'),
    settingFromAssignment(sample, 'nothing=1'),
  ]
  expect(problemsOf(settings).map(({ code, place, name }) => [code, place, name])).toEqual([
    ['config.unknown-key', '/etc/sample.toml', 'stray'],
    ['config.unknown-key', '/etc/sample.toml', 'report.levle'],
    ['config.invalid-value', '/etc/sample.toml', 'report.interval_seconds'],
    ['config.invalid-value', '/etc/sample.d/10.toml', 'report.verbose'],
    ['config.invalid-value', 'environment', 'KEEPSEAL_SAMPLE_REPORT__PCRS'],
    ['config.unknown-key', 'environment', 'KEEPSEAL_SAMPLE_X'],
    ['config.invalid-value', '--set report.label', 'report.label'],
    ['config.unknown-key', '--set nothing', 'nothing'],
  ])
  expect(() => resolveConfig(sample, settings)).toThrow(expect.objectContaining({ code: 'config.several-problems' }))
})

describe('text forms', () => {
  test('the environment sets options of every type', () => {
    const { values } = resolveConfig(
      sample,
      environment({
        KEEPSEAL_SAMPLE_REPORT__INTERVAL_SECONDS: '20',
        KEEPSEAL_SAMPLE_REPORT__VERBOSE: 'true',
        KEEPSEAL_SAMPLE_REPORT__PCRS: '0, 4,7',
        KEEPSEAL_SAMPLE_REPORT__LABEL: '42',
      }),
    )
    expect(values.report).toMatchObject({ intervalSeconds: 20, verbose: true, pcrs: [0, 4, 7], label: '42' })
  })

  test.each(['', ' 20', '2e1', '0x20', '20.0', '+20', '99999999999999999999'])('"%s" is no whole number', (text) => {
    expect(problemsOf(environment({ KEEPSEAL_SAMPLE_REPORT__INTERVAL_SECONDS: text }))).toHaveLength(1)
  })

  test('an assignment keeps everything after its first equals sign', () => {
    expect(settingFromAssignment(sample, 'report.label=a=b').value).toBe('a=b')
  })

  test('an assignment without equals sign is a usage error', () => {
    expect(() => settingFromAssignment(sample, 'report.label')).toThrow(
      expect.objectContaining({ code: 'usage.invalid' } satisfies Partial<KeepsealError>),
    )
  })
})
