import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import type { Output } from '../../../shared/cli/output.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { productName } from '../../../shared/decisions/products.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { decide, decisionOptions } from './decisions/decide.ts'
import { practiceOf, shortName } from './practice-names.ts'
import { Product, productIdOf } from './product-reference.ts'
import { connectionOptions } from './settings.ts'
import { certificateConformity, certificateNote, certificateTable } from './certificate-conformity.ts'
import { advice, field, paragraph, timeText, toneOf } from './text.ts'
import { watchable } from './watch/watchable.ts'

const Reason = v.looseObject({
  code: v.string(),
  text: v.string(),
  restore: v.string(),
  level: v.optional(v.number()),
  since: v.optional(v.string()),
  units: v.optional(v.looseObject({ count: v.number(), first: v.array(v.string()) })),
})
const Practice = v.looseObject({
  practice: v.string(),
  name: v.string(),
  target: v.nullable(v.number()),
  supported: v.number(),
  conformity: v.string(),
  since: v.nullable(v.string()),
  coverage: v.nullable(v.looseObject({ known: v.number(), denominator: v.number() })),
  reasons: v.array(Reason),
})
type Practice = v.InferOutput<typeof Practice>
const Condition = v.looseObject({
  kind: v.string(),
  id: v.string(),
  title: v.string(),
  measure: v.nullable(v.string()),
  check: v.nullable(v.string()),
  state: v.string(),
  unpatched: v.nullish(
    v.looseObject({
      units: v.number(),
      hardware: v.array(v.string()),
      packages: v.array(v.string()),
      advisories: v.array(v.looseObject({ advisory: v.string(), units: v.number(), published: v.string() })),
    }),
  ),
})
const Status = v.looseObject({
  conformity: v.string(),
  evaluatedAt: v.nullable(v.string()),
  fleet: v.nullable(
    v.looseObject({
      denominator: v.number(),
      basis: v.string(),
      neverSeen: v.number(),
      silent: v.number(),
      retired: v.number(),
    }),
  ),
  conditions: v.array(Condition),
  items: v.array(Practice),
})
const Detail = v.looseObject({
  ...Practice.entries,
  conditions: v.array(Condition),
  signals: v.array(v.looseObject({ signal: v.string(), objective: v.string(), shown: v.string() })),
  changes: v.array(v.looseObject({ from: v.nullable(v.string()), to: v.string(), at: v.string() })),
})

const product = { description: 'Its id, its model, or VENDOR/MODEL.', value: text(260), placeholder: 'PRODUCT' }

const coverageText = ({ coverage }: Practice): string =>
  coverage === null ? '-' : `${Math.floor((100 * coverage.known) / Math.max(1, coverage.denominator))} %`
const levelText = (level: number | null): string => (level === null ? '-' : String(level))

const status = defineCommand({
  name: 'practice status',
  summary: 'Show for each practice what is promised, what is supported, and whether it still holds',
  description: [
    'TARGET is what the profile of the certificate in force asks for, HAS the level that signals and documents support. ' +
      'Practices that no profile asks for have no target and count for nothing.',
    'Exit code 1: a practice is in drift or nonconforming.',
  ],
  examples: [
    'keepseal practice status --product "Gate 7"',
    'keepseal practice status --certificate crt_1',
    'keepseal practice status --product "Gate 7" --practice patch',
  ],
  options: {
    ...connectionOptions,
    product: { ...product, description: `${product.description} Or --certificate.` },
    certificate: {
      description: 'Of a certificate instead: of each practice the worst of its products.',
      value: text(128),
      placeholder: 'ID',
    },
    practice: {
      description: 'One of them in full, by its short name or its id.',
      value: text(64),
      placeholder: 'NAME',
    },
  },
  json: true,
  run: async ({ options, terminal, present, table, style }) => {
    const practice = options.practice === undefined ? undefined : practiceOf(options.practice)
    const client = connect(options, terminal.env)
    if ((options.product === undefined) === (options.certificate === undefined)) {
      throw new KeepsealError('usage.invalid', 'either --product or --certificate is wanted', {
        remedy: 'keepseal product list, or keepseal certificate list',
      })
    }
    if (options.certificate !== undefined) {
      if (practice !== undefined) throw new KeepsealError('usage.invalid', '--practice goes with --product')
      const shown = await certificateConformity(client, options.certificate)
      present(shown, () => certificateTable(shown, table))
      terminal.error(`${certificateNote(shown)}\n`)
      return codeOf(shown.practices.filter(({ counts }) => counts))
    }
    const path = `/products/${await productIdOf(client, options.product ?? '')}/practices`
    if (practice !== undefined) {
      const detail = await client.get(`${path}/${practice}`, Detail)
      present(detail, () => describe(detail, { style }).join('\n'))
      return codeOf([detail])
    }
    const shown = await client.get(path, Status)
    const columns = [
      { title: 'PRACTICE', shrinks: false },
      { title: 'TARGET', align: 'right', shrinks: false },
      { title: 'HAS', align: 'right', shrinks: false },
      { title: 'CONFORMITY', shrinks: false, style: toneOf },
      { title: 'COVERAGE', align: 'right', shrinks: false },
      { title: 'WHY' },
    ] as const
    const row = (each: Practice): string[] => [
      shortName(each.practice),
      levelText(each.target),
      String(each.supported),
      each.target === null ? '-' : each.conformity,
      coverageText(each),
      each.target === null ? '' : (each.reasons[0]?.text ?? ''),
    ]
    present(shown, () => [table(columns, shown.items.map(row)), ...conditionLines(shown)].join('\n'))
    terminal.error(`${basisText(shown)}\nOne of them in full, with all reasons: --practice NAME\n`)
    return codeOf(shown.items)
  },
})

/** Limitations and assumptions with their state, those that do not hold first. */
function conditionLines({ conditions }: Pick<v.InferOutput<typeof Status>, 'conditions'>): readonly string[] {
  if (conditions.length === 0) return []
  const isGood = (state: string): number => (/^(covered|holds)$/.test(state) ? 1 : 0)
  const sorted = [...conditions].sort((a, b) => isGood(a.state) - isGood(b.state))
  return [
    'limitations and assumptions',
    ...sorted.flatMap(({ kind, id, title, measure, check, state, unpatched }) => [
      ...paragraph('  ', printable(`${state}: ${kind} ${id} (${title})`)),
      ...(measure === null ? [] : paragraph('    ', printable(`made up for by: ${measure}`))),
      ...paragraph('    ', printable(check === null ? 'nothing watches it' : `by ${check}`)),
      ...(unpatched === undefined || unpatched === null ? [] : unpatchedLines(unpatched, state)),
    ]),
    '',
  ]
}

function unpatchedLines(
  { units, hardware, packages, advisories }: NonNullable<v.InferOutput<typeof Condition>['unpatched']>,
  state: string,
): readonly string[] {
  const whose = hardware.length === 0 ? 'all hardware' : `hardware ${hardware.join(', ')}`
  const what = packages.length === 0 ? 'all packages' : packages.join(', ')
  const counts = state === 'covered' ? 'counted apart in time to patch' : 'counted as open in time to patch'
  return [
    ...paragraph('    ', printable(`without fixes, of ${whose}, for ${what}: ${counts}, ${units} units apart`)),
    ...advisories.flatMap(({ advisory, units: lacking, published }) =>
      paragraph('      ', printable(`${advisory}, published ${published.slice(0, 10)}: ${lacking} units`)),
    ),
  ]
}

function codeOf(practices: readonly Pick<Practice, 'target' | 'conformity'>[]): 0 | 1 {
  const isBad = practices.some(
    ({ target, conformity }) => target !== null && /^(drift|nonconforming)$/.test(conformity),
  )
  return isBad ? exitCodes.finding : exitCodes.good
}

function basisText({ evaluatedAt, fleet, conformity }: v.InferOutput<typeof Status>): string {
  if (evaluatedAt === null || fleet === null) return 'Not evaluated yet: the collector does it once in each time slot.'
  const { denominator, basis, neverSeen, silent, retired } = fleet
  const apart = [`${neverSeen} never seen`, `${silent} silent`, `${retired} retired`].join(', ')
  return [
    `${printable(conformity)} as of ${printable(timeText(evaluatedAt))},`,
    `of ${denominator} ${printable(basis)} units (${apart})`,
  ].join(' ')
}

function describe(detail: v.InferOutput<typeof Detail>, { style }: Pick<Output, 'style'>): string[] {
  const { name, target, supported, conformity, since, reasons, signals, changes, conditions } = detail
  const tone = toneOf(conformity)
  const shown = tone === undefined ? printable(conformity) : style(tone, printable(conformity))
  return [
    printable(name),
    ...field('conformity', target === null ? 'no profile asks for it' : `${shown} since ${timeText(since)}`),
    ...field('level', `${supported} of ${levelText(target)}`),
    ...field('coverage', coverageText(detail)),
    ...(reasons.length === 0 ? [] : ['', 'why']),
    ...reasons.flatMap((reason) => describeReason(reason)),
    ...(conditions.length === 0 ? [] : ['', ...conditionLines(detail).slice(0, -1)]),
    ...(signals.length === 0 ? [] : ['', 'signals']),
    ...signals.flatMap(({ signal, shown: value, objective }) =>
      paragraph('  ', printable(`${signal}: ${value}, wanted ${objective}`)),
    ),
    ...(changes.length === 0 ? [] : ['', 'changes']),
    ...changes.map(({ from, to, at }) => printable(`  ${timeText(at)}  ${from ?? 'new'} -> ${to}`)),
  ]
}

function describeReason({ text: said, restore, level, since, units }: v.InferOutput<typeof Reason>): string[] {
  const about = [
    ...(level === undefined ? [] : [`against level ${level}`]),
    ...(since === undefined ? [] : [`since ${since}`]),
  ].join(', ')
  return [
    ...paragraph('  ', printable(said)),
    ...(about === '' ? [] : paragraph('    ', printable(about))),
    ...(units === undefined ? [] : paragraph('    ', printable(`${units.count} units: ${units.first.join(' ')}`))),
    ...advice('    ', restore),
  ]
}

const confirm = defineCommand({
  name: 'practice confirm',
  summary: 'Sign, as the certifier, that a drift is a nonconformity; or take that back',
  description: [
    'What is signed names the product, the practice, and since when it is in drift. With no it is again what is computed.',
  ],
  examples: ['keepseal practice confirm access yes --product "Gate 7" --reason "seen"'],
  arguments: {
    practice: { description: 'Its short name or its id.' },
    answer: { description: 'yes or no.', value: choice(['yes', 'no']) },
  },
  options: {
    ...decisionOptions,
    product: { ...product, required: true },
    reason: { description: 'Why. It is kept, and shown.', value: text(1000), placeholder: 'TEXT', required: true },
  },
  json: true,
  run: async ({ options, arguments: { practice: named, answer }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const [subject, practice] = [await productIdOf(client, options.product), practiceOf(named)]
    const path = `/products/${subject}/practices/${practice}`
    const { reason } = options
    if (answer === 'no') {
      await decide(options, terminal.env, { kind: 'nonconformity.withdraw', subject, detail: { practice, reason } })
    } else {
      const { vendor, model } = await client.get(`/products/${subject}`, Product)
      const { since } = await client.get(path, Practice)
      // Of a practice that is not in drift the collector says so, and takes nothing.
      const at = Math.floor(Date.parse(since ?? '1970-01-01') / 1000)
      const detail = { practice, product: productName({ vendor, model }), status: 'drift', since: at, reason }
      await decide(options, terminal.env, { kind: 'nonconformity.confirm', subject, detail })
    }
    const now = await client.get(path, Practice)
    present(now, () => printable(now.conformity))
    return exitCodes.good
  },
})

export const practiceCommands: readonly Command[] = [watchable(status), confirm]
