import * as v from 'valibot'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../../shared/config/value-types.ts'
import { REVIEW_OUTCOMES } from '../../../../shared/decisions/profile-review.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { practicesOf } from '../../../../shared/maturity/problems.ts'
import { weakeningsOf } from '../../../../shared/maturity/weakenings.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { parseProfile } from '../../../maturity/profile-file.ts'
import { connect } from '../api.ts'
import { decide, decisionOptions } from '../decisions/decide.ts'
import { inputFile, readText } from '../inspect/files.ts'
import { field, paragraph } from '../text.ts'
import { catalogueOfCollector } from './catalogue-option.ts'
import { findProfile, profileNamed } from './profile-answers.ts'
import { changeOf, changeOptions } from './profile-change.ts'

const Stored = v.object({ digest: v.string() })
const profileArgument = { description: 'Its id.' } as const

const apply = defineCommand({
  name: 'profile apply',
  summary: 'Hand in a version of a profile, and sign that you submit it',
  description: [
    'The file is checked first, as `profile lint` does. The first version needs no reason. A later one names the kind of its ' +
      'change with the proof that it asks for: raise (--reason), lower-guarantee (--reason, --public-note, ' +
      '--recommendation), or unresolvable-nonconformity (--case, --unresolvable, --unforeseen, --public-note). ' +
      'What guarantees less in any way is refused as a raise. Somebody else, a certifier, approves it.',
  ],
  examples: ['keepseal profile apply gate-seven.yaml --dry-run \\\n    --change raise --reason "as planned"'],
  arguments: { file: inputFile('A profile, YAML or JSON') },
  options: {
    ...decisionOptions,
    ...changeOptions,
    'dry-run': { description: 'Only tell what would be signed.' },
  },
  json: true,
  run: async ({ arguments: { file }, options, terminal, present, style }) => {
    const client = connect(options, terminal.env)
    const document = parseProfile(readText(file), await catalogueOfCollector(client))
    const { id, version, kind: profileKind, basedOn } = document
    const known = await findProfile(client, id)
    const approved = known?.profile.approvedVersion ?? null
    const change = changeOf(options, approved === null)
    const before = approved === null ? null : (await profileNamed(client, id, approved)).document
    const weakenings = before === null ? [] : weakeningsOf(before, document)
    const { digest } = await client.post('/profile-documents', { document, dryRun: options.dryRun }, Stored)
    const targets = Object.fromEntries(practicesOf(document).map(([practice, { target }]) => [practice, { ...target }]))
    const detail = { version, digest, targets, change: { ...change }, profileKind, basedOn }
    const done = options.dryRun
      ? null
      : await decide(options, terminal.env, { kind: 'profile.submit', subject: id, detail })
    present({ id, version, digest, weakenings, entry: done?.index ?? null }, () =>
      [
        ...field('profile', printable(`${id} ${version}, ${profileKind}`)),
        ...field('digest', digest),
        ...field('change', change.kind),
        ...weakenings.flatMap(({ path, message }) => [
          ...field('less', style('yellow', printable(`${path}: ${message}`))),
        ]),
        ...(done === null
          ? field('dry run', 'nothing was signed and nothing was stored')
          : [...field('entry', String(done.index)), `next: keepseal profile approve ${id} --seen ${digest}`]),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

const approve = defineCommand({
  name: 'profile approve',
  summary: 'Sign that a submitted version holds from now on',
  description: ['--seen is the digest of what you have read, as `profile show` and `profile lint` tell it.'],
  arguments: { profile: profileArgument },
  options: {
    ...decisionOptions,
    seen: { description: 'Digest of the version.', value: text(64), placeholder: 'DIGEST', required: true },
  },
  json: true,
  run: async ({ arguments: { profile }, options, terminal, present }) => {
    const { latest } = (await profileNamed(connect(options, terminal.env), profile)).profile
    if (latest.digest !== options.seen) {
      const remedy = `keepseal profile show ${profile}`
      throw new KeepsealError('profile.document-differs', `submitted is ${latest.digest}`, { remedy })
    }
    const detail = { version: latest.version, digest: latest.digest }
    const done = await decide(options, terminal.env, { kind: 'profile.approve', subject: profile, detail })
    present(done, () => printable(`${profile} ${latest.version} is approved`))
    return exitCodes.good
  },
})

const review = defineCommand({
  name: 'profile review',
  summary: 'Sign that targets, recommendations and roadmap were looked at again',
  arguments: { profile: profileArgument },
  options: {
    ...decisionOptions,
    outcome: {
      description: `${REVIEW_OUTCOMES.join(' or ')}.`,
      value: choice(REVIEW_OUTCOMES),
      placeholder: 'OUTCOME',
      required: true,
    },
    text: { description: 'What was found.', value: text(8192), placeholder: 'TEXT', required: true },
  },
  json: true,
  run: async ({ arguments: { profile }, options, terminal, present }) => {
    const { versions } = await profileNamed(connect(options, terminal.env), profile)
    const approved = versions.findLast(({ approvedAt }) => approvedAt !== null)
    if (approved === undefined) throw new KeepsealError('profile.not-approved', profile)
    const { version, digest } = approved
    const detail = { version, digest, outcome: options.outcome, text: options.text }
    const done = await decide(options, terminal.env, { kind: 'profile.review', subject: profile, detail })
    present(done, () => paragraph('', printable(`the review of ${profile} ${version} is recorded`)).join('\n'))
    return exitCodes.good
  },
})

export const profileCommands: readonly Command[] = [apply, approve, review]
