import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { random } from '../../../../shared/crypto/node.ts'
import type { Certificate } from '../../../../shared/decisions/certificate.ts'
import { reductionOf, renewalOf } from '../../../../shared/decisions/next-draft.ts'
import type { Register } from '../../../../shared/decisions/register.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { makeId } from '../../../store/ids.ts'
import { connect } from '../api.ts'
import { inputFile, readText } from '../inspect/files.ts'
import { checkedTime } from '../time-option.ts'
import { certificateArgument, decideOrTry, tryOptions } from './decisions.ts'
import { readDraft } from './draft-file.ts'
import { readLogOf } from './plan.ts'

const newId = (): string => makeId('crt', Date.now(), random)
const DRAFTED = 'is drafted; next: keepseal certificate issue'
const numberOption = {
  description: "The certifier's number of it.",
  value: text(128),
  placeholder: 'NUMBER',
  required: true,
} as const
const secondsOf = (time: string): number => Math.floor(Date.parse(time) / 1000)

const draft = defineCommand({
  name: 'certificate draft',
  summary: 'Draft a certificate from a file: products, profile, dates, agreement',
  description: ['Nothing is in force before `certificate issue`. docs/certificates.md has an example of the file.'],
  arguments: { file: inputFile('The draft, YAML or JSON') },
  options: tryOptions,
  json: true,
  run: (context) => {
    const detail = readDraft(readText(context.arguments.file))
    return decideOrTry(context, { kind: 'certificate.draft', subject: newId(), detail }, DRAFTED)
  },
})

const supersede = defineCommand({
  name: 'certificate supersede',
  summary: 'Draft, from a file, the certificate that replaces another once it is issued',
  arguments: { ...certificateArgument, file: inputFile('The draft, YAML or JSON') },
  options: tryOptions,
  json: true,
  run: (context) => {
    const { certificate, file } = context.arguments
    const detail = { ...readDraft(readText(file)), supersedes: certificate }
    return decideOrTry(context, { kind: 'certificate.draft', subject: newId(), detail }, DRAFTED)
  },
})

async function existing(
  flags: Parameters<typeof connect>[0],
  env: Parameters<typeof connect>[1],
  id: string,
): Promise<{ readonly register: Register; readonly before: Certificate }> {
  const { register } = await readLogOf(connect(flags, env))
  const before = register.certificates.get(id)
  if (before === undefined) throw new KeepsealError('request.not-found', `certificate ${id}`)
  return { register, before }
}

const renew = defineCommand({
  name: 'certificate renew',
  summary: 'Draft the next version of a certificate, with new dates',
  description: ['It is for the profile as it is approved now, and replaces the old one when it is issued.'],
  arguments: certificateArgument,
  options: {
    ...tryOptions,
    number: numberOption,
    'valid-until': { description: 'End of the new one.', value: checkedTime(), placeholder: 'TIME', required: true },
    'support-until': { description: "End of the vendor's support.", value: checkedTime(), placeholder: 'TIME' },
  },
  json: true,
  run: async (context) => {
    const { options, terminal, arguments: named } = context
    const { register, before } = await existing(options, terminal.env, named.certificate)
    const { number, validUntil, supportUntil } = options
    const detail = renewalOf(register, before, {
      number,
      validFrom: Math.floor(Date.now() / 1000),
      validUntil: secondsOf(validUntil),
      supportUntil: supportUntil === undefined ? null : secondsOf(supportUntil),
    })
    return decideOrTry(context, { kind: 'certificate.draft', subject: newId(), detail }, DRAFTED)
  },
})

const reduce = defineCommand({
  name: 'certificate reduce',
  summary: 'Draft a version with fewer products, or of a profile that was lowered',
  description: ['It ends when the one before it ends, and replaces that when it is issued.'],
  arguments: certificateArgument,
  options: {
    ...tryOptions,
    number: numberOption,
    product: {
      description: 'VENDOR/MODEL that stay, separated by commas; without it all of them.',
      value: text(8192),
      placeholder: 'PRODUCTS',
    },
  },
  json: true,
  run: async (context) => {
    const { options, terminal, arguments: named } = context
    const { register, before } = await existing(options, terminal.env, named.certificate)
    const stay = options.product?.split(',').map((each) => each.trim())
    const detail = reductionOf(register, before, options.number, stay ?? null)
    return decideOrTry(context, { kind: 'certificate.draft', subject: newId(), detail }, DRAFTED)
  },
})

export const certificateDrafts: readonly Command[] = [draft, supersede, renew, reduce]
