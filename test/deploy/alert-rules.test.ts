import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { repository } from '../architecture/sources.ts'
import { useScratchDirectories } from '../support/scratch.ts'

/** Prometheus itself judges the rules: series in, alerts out (promtool test rules). */

const rulesFile = join(repository, 'deploy', 'grafana', 'alerts.yaml')
const scratch = useScratchDirectories('alert-rules')
const promtool = (...parameters: readonly string[]) => spawnSync('promtool', parameters, { encoding: 'utf8' })
const missing = promtool('--version').error !== undefined
const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string
      readonly labels: Labels
      readonly annotations: Labels
    }[]
  }[]
}
const rules = groups.flatMap((group) => group.rules)

type Labels = Readonly<Record<string, string>>
interface Case {
  readonly alert: string
  readonly when: string
  /** In the notation of promtool: a start, what each minute adds or takes, and for how many of them. */
  readonly series: Labels
  /** Minutes after which it is looked at. */
  readonly after: number
  /** The labels of what is told, beside its severity; nothing: it is quiet. */
  readonly tells?: Labels
}

const [IT, OTHER] = ['job="keepseal",instance="a:9464"', 'job="another",instance="b:9464"']
const TARGET = { job: 'keepseal', instance: 'a:9464' }
const VERIFIED = 'keepseal_attest_verifications_total'
const DAY = 86_400
/** The notation has no repetition of what is no number. */
const NOTHING = Array.from({ length: 91 }, () => 'NaN').join(' ')

const CASES: readonly Case[] = [
  { alert: 'KeepsealDown', when: 'away for four minutes', series: { [`up{${IT}}`]: '1x9 0x4' }, after: 14 },
  {
    alert: 'KeepsealDown',
    when: 'away for six minutes',
    series: { [`up{${IT}}`]: '1x9 0x6' },
    after: 16,
    tells: TARGET,
  },
  {
    alert: 'KeepsealDown',
    when: 'another job is away',
    series: { [`up{${OTHER}}`]: '0x20', [`up{${IT}}`]: '1x20' },
    after: 20,
  },
  {
    alert: 'KeepsealNotScraped',
    when: 'no target has that name',
    series: { [`up{${OTHER}}`]: '1x30' },
    after: 20,
    tells: { job: 'keepseal' },
  },
  {
    alert: 'KeepsealNotScraped',
    when: 'a target is down, which another rule tells',
    series: { [`up{${IT}}`]: '0x30' },
    after: 20,
  },
  {
    alert: 'KeepsealCannotStore',
    when: 'one batch failed',
    series: { [`keepseal_ingest_failures_total{${IT}}`]: '0x9 1x30' },
    after: 16,
  },
  {
    alert: 'KeepsealCannotStore',
    when: 'batches fail on and on',
    series: { [`keepseal_ingest_failures_total{${IT}}`]: '0x9 1+3x20' },
    after: 18,
    tells: TARGET,
  },
  {
    alert: 'KeepsealQuarantine',
    when: 'nothing is in it',
    series: { [`keepseal_quarantine_messages{${IT}}`]: '0x60' },
    after: 60,
  },
  {
    alert: 'KeepsealQuarantine',
    when: 'the database cannot tell',
    series: { [`keepseal_quarantine_messages{${IT}}`]: NOTHING },
    after: 60,
  },
  {
    alert: 'KeepsealQuarantine',
    when: 'three messages stay there',
    series: { [`keepseal_quarantine_messages{${IT}}`]: '0x9 3x60' },
    after: 30,
    tells: TARGET,
  },
  {
    alert: 'KeepsealBacklog',
    when: 'a storm that is over in five minutes',
    series: { [`keepseal_ingest_backlog{${IT}}`]: '9000x5 10x20' },
    after: 12,
  },
  {
    alert: 'KeepsealBacklog',
    when: 'it stays above the bound',
    series: { [`keepseal_ingest_backlog{${IT}}`]: '5001x20' },
    after: 12,
    tells: TARGET,
  },
  {
    alert: 'KeepsealRefusing',
    when: 'one in fifty is refused',
    series: {
      [`${VERIFIED}{${IT},result="accepted",code="none"}`]: '0+98x90',
      [`${VERIFIED}{${IT},result="refused",code="signature.invalid"}`]: '0+2x90',
    },
    after: 80,
  },
  {
    alert: 'KeepsealRefusing',
    when: 'one in ten is refused, for several reasons',
    series: {
      [`${VERIFIED}{${IT},result="accepted",code="none"}`]: '0+90x90',
      [`${VERIFIED}{${IT},result="refused",code="signature.invalid"}`]: '0+5x90',
      [`${VERIFIED}{${IT},result="refused",code="quote.nonce-mismatch"}`]: '0+5x90',
    },
    after: 80,
    tells: {},
  },
  {
    alert: 'KeepsealRefusing',
    when: 'nothing arrives any more',
    series: {
      [`${VERIFIED}{${IT},result="accepted",code="none"}`]: '90x90',
      [`${VERIFIED}{${IT},result="refused",code="signature.invalid"}`]: '5x90',
    },
    after: 80,
  },
  {
    alert: 'KeepsealDeviceFloods',
    when: 'messages only had to wait',
    series: { [`keepseal_ingest_excess_total{${IT},how="delay"}`]: '0+9x90' },
    after: 80,
  },
  {
    alert: 'KeepsealDeviceFloods',
    when: 'messages are dropped',
    series: { [`keepseal_ingest_excess_total{${IT},how="drop"}`]: '1+9x90' },
    after: 40,
    tells: { ...TARGET, how: 'drop' },
  },
  {
    alert: 'KeepsealClockStepped',
    when: 'by half a minute',
    series: { [`keepseal_clock_step_seconds{${IT}}`]: '-30x20' },
    after: 20,
  },
  {
    alert: 'KeepsealClockStepped',
    when: 'back by an hour',
    series: { [`keepseal_clock_step_seconds{${IT}}`]: '-3600x20' },
    after: 5,
    tells: TARGET,
  },
  {
    alert: 'KeepsealExploitedUnpatched',
    when: 'for six days',
    series: { [`keepseal_exploited_advisory_age_seconds{${IT}}`]: `${6 * DAY}x90` },
    after: 90,
  },
  {
    alert: 'KeepsealExploitedUnpatched',
    when: 'for eight days',
    series: { [`keepseal_exploited_advisory_age_seconds{${IT}}`]: `${8 * DAY}x90` },
    after: 90,
    tells: TARGET,
  },
  {
    alert: 'KeepsealAdvisoriesOld',
    when: 'there is no feed',
    series: { [`keepseal_advisory_feed_age_seconds{${IT}}`]: NOTHING },
    after: 90,
  },
  {
    alert: 'KeepsealAdvisoriesOld',
    when: 'a feed was looked at three days ago',
    series: { [`keepseal_advisory_feed_age_seconds{${IT}}`]: `${3 * DAY}x90` },
    after: 90,
    tells: TARGET,
  },
]

/** What promtool compares with: each rule's own words, with the name of the target in them. */
function expected({ alert, tells }: Case): readonly unknown[] {
  if (tells === undefined) return []
  const rule = rules.find((each) => each.alert === alert)
  const filled = Object.entries(rule?.annotations ?? {}).map(([name, text]) => [
    name,
    text.replaceAll('{{ $labels.instance }}', tells['instance'] ?? ''),
  ])
  return [{ exp_labels: { ...rule?.labels, ...tells }, exp_annotations: Object.fromEntries(filled) }]
}

function suite(cases: readonly Case[]): string {
  const file = join(scratch(), 'suite.yaml')
  const tests = cases.map((each) => ({
    name: `${each.alert}: ${each.when}`,
    interval: '1m',
    input_series: Object.entries(each.series).map(([series, values]) => ({ series, values })),
    alert_rule_test: [{ alertname: each.alert, eval_time: `${each.after}m`, exp_alerts: expected(each) }],
  }))
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ rule_files: [rulesFile], evaluation_interval: '1m', tests }))
  return file
}

const skipped = missing ? ' (skipped: no promtool)' : ''

describe('the cases of the alert rules', () => {
  it.each(rules.map(({ alert }) => alert))('have %s speak and keep quiet', (alert) => {
    const own = CASES.filter((each) => each.alert === alert)
    expect(own.some(({ tells }) => tells !== undefined)).toBe(true)
    expect(own.some(({ tells }) => tells === undefined)).toBe(true)
  })
})

describe.skipIf(missing)(`the alert rules, as Prometheus takes them${skipped}`, () => {
  it('are rules', () => {
    const { status, stdout } = promtool('check', 'rules', rulesFile)
    expect([status, /SUCCESS: (\d+) rules found/.exec(stdout)?.[1]]).toEqual([0, String(rules.length)])
  })

  it.each(CASES)('$alert: $when', (each) => {
    const { status, stdout, stderr } = promtool('test', 'rules', suite([each]))
    expect([status, status === 0 ? '' : `${stdout}${stderr}`]).toEqual([0, ''])
  })

  it('would be said to be wrong if they were', () => {
    const [first] = CASES.filter(({ tells }) => tells !== undefined)
    if (first === undefined) throw new Error('no case tells anything')
    const { tells: _, ...quiet } = first
    expect(promtool('test', 'rules', suite([quiet])).status).toBe(1)
  })
})
