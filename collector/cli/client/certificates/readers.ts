import * as v from 'valibot'
import { toHex } from '../../../../shared/bytes/bytes.ts'
import { decodeCertificateFile } from '../../../../shared/certificate/file.ts'
import { openStatus } from '../../../../shared/certificate/status.ts'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { coseKeyThumbprint } from '../../../../shared/cose/key.ts'
import { ed25519Key, hash } from '../../../../shared/crypto/node.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { renderCertificate } from '../../../api/public/certificate-html.ts'
import { connect } from '../api.ts'
import { writeOutput } from '../inspect/files.ts'
import { connectionOptions } from '../settings.ts'
import { coverageCounts, CoverageCount } from '../coverage-view.ts'
import { shortName } from '../practice-names.ts'
import { advice, field, paragraph, timeText } from '../text.ts'
import { certificateArgument } from './decisions.ts'
import { fileOf, pathOf } from './file.ts'

const Shown = v.looseObject({
  id: v.string(),
  number: v.string(),
  profile: v.object({ id: v.string(), version: v.number(), digest: v.string() }),
  products: v.array(
    v.object({
      product: v.string(),
      hardwareRevisions: v.array(v.string()),
      firmwareLines: v.array(v.string()),
      representative: v.boolean(),
    }),
  ),
  state: v.string(),
  reason: v.string(),
  expired: v.boolean(),
  conditionsOverdue: v.boolean(),
  suspensionOverdue: v.boolean(),
  conditions: v.nullable(v.object({ text: v.string(), until: v.string() })),
  suspension: v.nullable(v.object({ until: v.string(), products: v.nullable(v.array(v.string())) })),
  claimsAllowedFor: v.array(v.string()),
  validFrom: v.string(),
  validUntil: v.string(),
  supportUntil: v.string(),
  supersedes: v.nullable(v.string()),
})
type Shown = v.InferOutput<typeof Shown>

const Detail = v.looseObject({
  ...Shown.entries,
  conformity: v.string(),
  practices: v.array(v.looseObject({ practice: v.string(), counts: v.boolean(), conformity: v.string() })),
  live: v.array(
    v.looseObject({
      product: v.string(),
      productId: v.nullable(v.string()),
      conformity: v.string(),
      evaluatedAt: v.nullable(v.string()),
      ...CoverageCount.entries,
    }),
  ),
})

const stateOf = ({ state, expired, conditionsOverdue, suspensionOverdue }: Shown): string =>
  [
    state,
    ...(expired ? ['EXPIRED'] : []),
    ...(conditionsOverdue ? ['conditions overdue'] : []),
    ...(suspensionOverdue ? ['suspension overdue'] : []),
  ].join(', ')

const list = defineCommand({
  name: 'certificate list',
  summary: 'List certificates with their standing now',
  options: connectionOptions,
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const { items } = await connect(options, terminal.env).get('/certificates', v.object({ items: v.array(Shown) }))
    const columns = [
      { title: 'CERTIFICATE', shrinks: false },
      { title: 'NUMBER' },
      { title: 'STATE' },
      { title: 'UNTIL', shrinks: false },
    ]
    const rows = items.map((each) => [each.id, each.number, stateOf(each), each.validUntil.slice(0, 10)])
    present(items, () => (rows.length === 0 ? '' : table(columns, rows)))
    if (rows.length === 0) terminal.error('There is no certificate yet: keepseal certificate draft FILE\n')
    return exitCodes.good
  },
})

const show = defineCommand({
  name: 'certificate show',
  summary: 'Show one certificate with its profile, what it covers, and why it is so',
  arguments: certificateArgument,
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { certificate }, terminal, present }) => {
    const shown = await connect(options, terminal.env).get(pathOf(certificate), Detail)
    present(shown, () => [...describe(shown), ...describeLive(shown)].map(printable).join('\n'))
    return exitCodes.good
  },
})

function describe(shown: Shown): readonly string[] {
  const { id, number, profile, products, claimsAllowedFor, conditions, suspension } = shown
  return [
    ...field('certificate', id),
    ...field('number', number),
    ...field('state', stateOf(shown)),
    ...field('because', shown.reason),
    ...field('claims', claimsAllowedFor.join(', ') || 'none'),
    ...(conditions === null ? [] : field('conditions', `${conditions.text} (until ${timeText(conditions.until)})`)),
    ...(suspension === null
      ? []
      : field('suspended', `${suspension.products?.join(', ') ?? 'all'} until ${timeText(suspension.until)}`)),
    ...field('valid', `${timeText(shown.validFrom)} to ${timeText(shown.validUntil)}`),
    ...field('support', `until ${timeText(shown.supportUntil)}`),
    ...(shown.supersedes === null ? [] : field('replaces', shown.supersedes)),
    ...field('profile', `${profile.id} ${profile.version}`),
    `             ${profile.digest}`,
    'products',
    ...products.flatMap(({ product, hardwareRevisions, firmwareLines, representative }) =>
      paragraph(
        '  ',
        `${product}${representative ? ' (representative)' : ''}: hardware ${hardwareRevisions.join(', ')}, ` +
          `firmware ${firmwareLines.join(', ')}`,
      ),
    ),
  ]
}

/** What is computed of it, and no state of it. */
function describeLive({ conformity, practices, live }: v.InferOutput<typeof Detail>): readonly string[] {
  const bad = practices.filter((each) => each.conformity !== 'conforming')
  const notCounting = bad.some(({ counts }) => !counts) ? ' (* does not count, by its priority)' : ''
  const names = bad.map(({ practice, counts, conformity: is }) => `${shortName(practice)}${counts ? '' : '*'} ${is}`)
  return [
    ...field('conformity', conformity),
    ...(names.length === 0 ? [] : field('', `${names.join(', ')}${notCounting}`)),
    ...live.flatMap((each) => [
      ...paragraph('  ', `${each.product}: ${each.conformity}, ${evaluatedText(each)}`),
      ...paragraph('    ', coverageCounts(each)),
    ]),
    ...(bad.length === 0 ? [] : advice('', 'see why: keepseal practice status --product PRODUCT')),
  ]
}

function evaluatedText({
  productId,
  evaluatedAt,
}: {
  readonly productId: string | null
  readonly evaluatedAt: string | null
}): string {
  if (productId === null) return 'not registered here'
  return evaluatedAt === null ? 'not evaluated yet' : `evaluated ${timeText(evaluatedAt)}`
}

const outOption = { description: 'File to write.', value: text(4096), placeholder: 'FILE', required: true } as const

const exportCommand = defineCommand({
  name: 'certificate export',
  summary: 'Write a certificate to a file that can be checked without a server',
  description: [
    'It holds what the log says about it, its profile, and its status as of now, which is fresh for a day.',
  ],
  arguments: certificateArgument,
  options: { ...connectionOptions, out: outOption },
  json: true,
  run: async ({ options, arguments: { certificate }, terminal, present }) => {
    const bytes = await fileOf(connect(options, terminal.env), certificate)
    writeOutput(options.out, bytes)
    present({ file: options.out, bytes: bytes.length }, () => `${options.out}: ${bytes.length} bytes`)
    return exitCodes.good
  },
})

const print = defineCommand({
  name: 'certificate print',
  summary: 'Write the printable page of a certificate with its profile',
  arguments: certificateArgument,
  options: { ...connectionOptions, out: outOption },
  json: true,
  run: async ({ options, arguments: { certificate }, terminal, present }) => {
    const file = decodeCertificateFile(await fileOf(connect(options, terminal.env), certificate))
    const thumbprint = coseKeyThumbprint(file.collectorKey, hash)
    const status = openStatus(file.status, { key: ed25519Key(file.collectorKey.x), thumbprint })
    const signed = { status, bytes: file.status, digest: toHex(hash('sha256', file.status)) }
    writeOutput(options.out, Buffer.from(renderCertificate(signed, Math.floor(Date.now() / 1000)).toString()))
    present({ file: options.out }, () => options.out)
    return exitCodes.good
  },
})

export const certificateReaders: readonly Command[] = [list, show, exportCommand, print]
