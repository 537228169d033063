import { existsSync, readFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { SENSORS } from '../../agent/sensors/registry.ts'
import type { Sensor } from '../../agent/sensors/sensor.ts'
import { SECTION_CODES } from '../../collector/appraisal/section-deviations.ts'
import { findings, type FindingCode } from '../../shared/codes/findings.ts'
import { schemaComments } from './schema-comments.ts'
import { describedFields } from './schema-fields.ts'

const LATEST = new URL('../../docs/bench/latest.json', import.meta.url)

/** What every section can be found to be, whatever it is about. */
const OF_ANY_SECTION: readonly FindingCode[] = ['reporting.section-status-changed', 'agent.sensor-failed']

interface Measured {
  readonly firstMs: number
  readonly unchangedMs: number
}

const INDEX = `# Sensors

What an agent measures, one sensor for each section of the posture. Each says what it reads, what it needs to see all of
it, and what it cannot see even then. \`keepseal-agent once --print --json\` shows what they find on a machine.

A section is one of four things, and never left out: \`measured\`, with the content that its page describes;
\`not-supported\`, where the system does not have what it is about; \`no-permission\`, where it may not be looked at;
\`failed\`. A field that is _observed_ is either a value or the reason why there is none: \`absent\`, \`no-permission\`,
\`too-large\`, \`unreadable\` or \`malformed\`. Sections hold nothing that differs between equal units; what does is in the
claim \`state\` of the evidence.

The processor time is that of one measurement: what a sensor may take on a small gateway, and what it took when
[the benchmark](../bench/README.md) last ran, in a process that had just started and again when nothing had changed.

These pages are made from the registry of the sensors, the schemas of the sections and the codes of findings. After a
change there, or after \`npm run bench\`, run the unit tests once with \`KEEPSEAL_UPDATE_DOCS=1\`.
`

/** docs/sensors: the index and a page for each sensor, by file name. */
export async function sensorPages(): Promise<ReadonlyMap<string, string>> {
  const style = await resolveConfig(LATEST)
  const formatted = (text: string): Promise<string> => format(text, { ...style, parser: 'markdown' })
  const pages = new Map([['README.md', await formatted(index())]])
  for (const sensor of SENSORS) pages.set(`${sensor.id}.md`, await formatted(page(sensor)))
  return pages
}

function index(): string {
  const rows = SENSORS.map((sensor) => [
    `[${sensor.id}](${sensor.id}.md)`,
    plain(sensor.title),
    `${sensor.budget.cpuMs} ms`,
    took(sensor),
  ])
  return [INDEX, table(['Sensor', 'What it looks at', 'May take', 'Took'], rows)].join('\n')
}

function page(sensor: Sensor): string {
  const comments = schemaComments(sensor.section)
  const fields = describedFields(sensor.section, comments).map(({ path, type, unit, meaning }) => [
    `\`${path}\``,
    type,
    unit,
    plain(meaning),
  ])
  const codes = codesOf(sensor, comments.source).map((code) => {
    const { severity, trigger, title, remedy } = findings[code]
    return [`\`${code}\``, severity, trigger, plain(title), plain(remedy)]
  })
  return [
    `# ${capitalized(plain(sensor.title))}`,
    `Sensor \`${sensor.id}\`, section \`${sensor.section}\`. [All sensors](README.md)`,
    `- **Reads:** ${plain(sensor.reads)}`,
    `- **Needs:** ${plain(sensor.needs)}`,
    ...(sensor.privileged === true ? ['- The [privileged helper](../privileged-helper.md) sees more of it.'] : []),
    `- **Cannot see:** ${plain(sensor.blindSpots)}`,
    `- **May take:** ${sensor.budget.cpuMs} ms of processor time. Took: ${took(sensor) || 'not measured yet'}.`,
    `- **When it cannot measure:** ${plain(sensor.remedy)}\n`,
    '## Fields\n',
    table(['Field', 'Type', 'Unit', 'Meaning'], fields),
    '## Findings\n',
    'What a difference from the approved content can be found to be.\n',
    table(['Code', 'Severity', 'Trigger', 'Meaning', 'What to do'], codes),
  ].join('\n')
}

/** Those that its section names, those that a change of it is by default, and those that are named after it. */
function codesOf({ section }: Sensor, source: string): FindingCode[] {
  const usual = new Set<string>([...Object.values(SECTION_CODES[section]), ...OF_ANY_SECTION])
  const named = new Set([...source.matchAll(/'([a-z-]+\.[a-z0-9-]+)'/g)].map(([, code]) => code))
  return (Object.keys(findings) as FindingCode[]).filter((code) => {
    const isOfSection = findings[code].axis === 'posture' && code.startsWith(`${section}.`)
    return usual.has(code) || named.has(code) || isOfSection
  })
}

function took({ section }: Sensor): string {
  const measured = figures()[section]
  return measured === undefined ? '' : `${measured.firstMs} ms, unchanged ${measured.unchangedMs} ms`
}

function figures(): Readonly<Record<string, Measured>> {
  if (!existsSync(LATEST)) return {}
  const { sensors } = JSON.parse(readFileSync(LATEST, 'utf8')) as {
    sensors?: { sections: Readonly<Record<string, Measured>> }
  }
  return sensors?.sections ?? {}
}

/** Prose as it is, though it has characters that mean something in Markdown. */
const plain = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/[*<[\]]|(?<!\w)_|_(?!\w)/g, String.raw`\$&`)))
    .join('')

const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
  return `${[titles, titles.map(() => '---'), ...rows].map(line).join('\n')}\n`
}
