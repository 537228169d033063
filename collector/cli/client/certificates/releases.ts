import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { choice, text } from '../../../../shared/config/value-types.ts'
import { CHANGE_CLASSES, releaseName } from '../../../../shared/decisions/release-kinds.ts'
import { productName } from '../../../../shared/decisions/products.ts'
import { PRACTICE_IDS } from '../../../../shared/maturity/practices.ts'
import { connect } from '../api.ts'
import { Product } from '../product-reference.ts'
import { pathOfRelease, Release, releaseArgument, releaseIdOf } from '../release-reference.ts'
import { decideOrTry, tryOptions } from './decisions.ts'

type Flags = Parameters<typeof connect>[0]
type Environment = Parameters<typeof connect>[1]

/** The subject of decisions about a release, and the digest of what it is now. */
async function meant(flags: Flags, env: Environment, reference: string): Promise<{ subject: string; digest: string }> {
  const client = connect(flags, env)
  const { productId, name, digest } = await client.get(pathOfRelease(await releaseIdOf(client, reference)), Release)
  const product = await client.get(`/products/${productId}`, Product)
  return { subject: releaseName(productName(product), name), digest }
}

const classOption = {
  description: 'none, minor, major or emergency.',
  value: choice(CHANGE_CLASSES),
  placeholder: 'CLASS',
  required: true,
} as const
const reasonOption = {
  description: 'Why: others will read it.',
  value: text(8192),
  placeholder: 'TEXT',
  required: true,
} as const

const propose = defineCommand({
  name: 'release propose',
  summary: 'Say, as the vendor, how far a release of a certified product reaches',
  description: ['The certifier decides. docs/certificates.md says what each class means for the devices that run it.'],
  arguments: { release: releaseArgument },
  options: {
    ...tryOptions,
    class: classOption,
    change: { description: 'A change; once for each.', value: text(8192), placeholder: 'TEXT', multiple: true },
    practice: { description: 'A practice it touches.', value: choice(PRACTICE_IDS), placeholder: 'ID', multiple: true },
    from: { description: 'The release before it.', value: text(128), placeholder: 'NAME' },
    analysis: {
      description: 'SHA-256 of the report of its vulnerability analysis.',
      value: text(64),
      placeholder: 'HEX',
      required: true,
    },
  },
  json: true,
  run: async (context) => {
    const { options, terminal, arguments: named } = context
    const { subject, digest } = await meant(options, terminal.env, named.release)
    const { change: changes, practice: practices, analysis, from = null } = options
    const detail = { digest, class: options.class, from, changes: [...changes], practices: [...practices], analysis }
    return decideOrTry(context, { kind: 'release.propose', subject, detail }, 'is proposed; the certifier decides')
  },
})

const classify = defineCommand({
  name: 'release classify',
  summary: 'Decide, as the certifier, how far a proposed release reaches',
  arguments: { release: releaseArgument },
  options: { ...tryOptions, class: classOption, reason: reasonOption },
  json: true,
  run: async (context) => {
    const { options, terminal, arguments: named } = context
    const { subject, digest } = await meant(options, terminal.env, named.release)
    const detail = { digest, class: options.class, reason: options.reason }
    return decideOrTry(context, { kind: 'release.classify', subject, detail }, `is classified: ${options.class}`)
  },
})

const assess = defineCommand({
  name: 'release assess',
  summary: 'Say, as the certifier, that a scoped reassessment covers a release',
  arguments: { release: releaseArgument },
  options: { ...tryOptions, reason: reasonOption },
  json: true,
  run: async (context) => {
    const { options, terminal, arguments: named } = context
    const { subject, digest } = await meant(options, terminal.env, named.release)
    return decideOrTry(
      context,
      { kind: 'release.assess', subject, detail: { digest, reason: options.reason } },
      'is covered',
    )
  },
})

export const releaseClassification: readonly Command[] = [propose, classify, assess]
