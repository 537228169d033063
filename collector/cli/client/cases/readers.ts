import * as v from 'valibot'
import { encodeCbor } from '../../../../shared/cbor/codec.ts'
import { toHex } from '../../../../shared/bytes/bytes.ts'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../../shared/config/value-types.ts'
import { hash } from '../../../../shared/crypto/node.ts'
import { CASE_STATES } from '../../../../shared/decisions/cases/case.ts'
import { jsonToCbor, type Json } from '../../../../shared/decisions/json-cbor.ts'
import { INTAKE_CAUSES } from '../../../../shared/maturity/causes.ts'
import { TRIGGER_IDS, triggerOf } from '../../../../shared/maturity/triggers.ts'
import { connect } from '../api.ts'
import { writeOutput } from '../inspect/files.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from '../listing.ts'
import { productIdOf } from '../product-reference.ts'
import { connectionOptions } from '../settings.ts'
import { toneOf } from '../text.ts'
import { checkedTime } from '../time-option.ts'
import { Case, readCase } from './case.ts'
import { describeCase } from './view.ts'
import { watchable } from '../watch/watchable.ts'

const PRODUCT = { value: text(260), placeholder: 'PRODUCT' } as const
export const caseArgument = { description: 'Id of the case, as `case list` shows it.' } as const

const list = defineCommand({
  name: 'case list',
  summary: 'List reassessment cases, newest first',
  options: {
    ...listOptions,
    state: {
      description: `Only those that are ${CASE_STATES.join(', ')}.`,
      value: choice(CASE_STATES),
      placeholder: 'STATE',
    },
    product: { description: 'Of this product only.', ...PRODUCT },
  },
  json: true,
  run: async (context) => {
    const { options, terminal } = context
    const client = connect(options, terminal.env)
    const { state, product, limit = DEFAULT_ITEMS } = options
    const productId = product === undefined ? undefined : await productIdOf(client, product)
    const listed = await client.list('/cases', { state, productId }, Case, limit)
    const isWide = terminal.columns >= 110
    const columns = [
      { title: 'CASE', shrinks: false },
      ...(isWide ? [{ title: 'STATE' }, { title: 'SEVERITY', style: toneOf }] : []),
      { title: 'DUE', style: (cell: string) => (cell.endsWith('!') ? ('red' as const) : undefined) },
      { title: 'CAUSE', shrinks: false },
    ]
    return presentList(
      context,
      listed,
      columns,
      (each) => [
        each.id,
        ...(isWide ? [each.state, each.severity] : []),
        `${each.due?.slice(0, 10) ?? '-'}${each.overdue ? ' !' : ''}`,
        each.cause,
      ],
      'There is no such case.',
    )
  },
})

const show = defineCommand({
  name: 'case show',
  summary: 'Show one reassessment case: facts, deadlines, decisions, what comes next',
  arguments: { id: caseArgument },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { id }, terminal, present, style }) => {
    const shown = await readCase(connect(options, terminal.env), id)
    present(shown, () => describeCase(shown, { style }))
    return exitCodes.good
  },
})

const intake = TRIGGER_IDS.filter((id) => INTAKE_CAUSES[id] !== undefined)

const open = defineCommand({
  name: 'case open',
  summary: 'Report what calls for a reassessment and no sensor sees',
  description: [
    'One case for each certificate in force for the product. What is reported twice under one --reference is one case.',
    ...intake.map((id) => `${id}: ${triggerOf(id).title}.`),
  ],
  examples: [
    'keepseal case open --product "Acme/Gate 7" --trigger T18 \\',
    '    --reference PSIRT-41 --source "a researcher, by mail" \\',
    '    --summary "the login page takes any password"',
  ],
  options: {
    ...connectionOptions,
    product: { description: 'Product: its id, its model, or VENDOR/MODEL.', ...PRODUCT, required: true },
    trigger: { description: `${intake.join(', ')}.`, value: choice(intake), placeholder: 'T', required: true },
    summary: { description: 'What it is, in one line.', value: text(200), placeholder: 'TEXT', required: true },
    source: { description: 'Who or what reported it.', value: text(200), placeholder: 'TEXT', required: true },
    reference: { description: 'Its number elsewhere.', value: text(100), placeholder: 'NUMBER' },
    'noticed-at': { description: 'When it was noticed, if not now.', value: checkedTime(), placeholder: 'TIME' },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const client = connect(options, terminal.env)
    const { trigger, summary, source, reference, noticedAt } = options
    const productId = await productIdOf(client, options.product)
    const body = {
      productId,
      trigger,
      summary,
      source,
      ...(reference === undefined ? {} : { reference }),
      ...(noticedAt === undefined ? {} : { detectedAt: noticedAt }),
    }
    const Opened = v.object({ items: v.array(v.looseObject({ ...Case.entries, isNew: v.boolean() })) })
    const opened = await client.post('/cases', body, Opened)
    present(opened, () => opened.items.map(({ id, isNew }) => (isNew ? id : `${id} (there was one)`)).join('\n'))
    return exitCodes.good
  },
})

const Bundle = v.looseObject({
  format: v.string(),
  decisions: v.array(v.unknown()),
  findings: v.array(v.unknown()),
})

const exportCommand = defineCommand({
  name: 'case export',
  summary: 'Write all of a case to a file: facts, signed decisions, findings, hashes of the evidence',
  description: [
    'JSON, or the same in deterministic CBOR; the digest that is printed is of the CBOR, whichever is written. Whether ' +
      'entries of the log are missing shows the whole log alone: keepseal log export.',
  ],
  arguments: { id: caseArgument },
  options: {
    ...connectionOptions,
    out: { description: 'File to write.', value: text(4096), placeholder: 'FILE', required: true },
    format: { description: 'json (default) or cbor.', value: choice(['json', 'cbor']), placeholder: 'FORMAT' },
  },
  json: true,
  run: async ({ options, arguments: { id }, terminal, present }) => {
    const bundle = await connect(options, terminal.env).get(`/cases/${encodeURIComponent(id)}/bundle`, Bundle)
    const cbor = encodeCbor(jsonToCbor(bundle as Json))
    const content = options.format === 'cbor' ? cbor : Buffer.from(`${JSON.stringify(bundle, null, 2)}\n`)
    writeOutput(options.out, content)
    const digest = toHex(new Uint8Array(hash('sha256', cbor)))
    const written = { file: options.out, digest, decisions: bundle.decisions.length, findings: bundle.findings.length }
    present(
      written,
      () => `${written.decisions} decisions, ${written.findings} findings: ${written.file}\nsha256 ${digest}`,
    )
    return exitCodes.good
  },
})

export const caseReaders: readonly Command[] = [watchable(list), watchable(show), open, exportCommand]
