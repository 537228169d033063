import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { integer, text } from '../../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { practicesOf } from '../../../../shared/maturity/problems.ts'
import { PRACTICES } from '../../../../shared/maturity/practices.ts'
import type { ProfileDocument, UnpatchedScope } from '../../../../shared/maturity/profile.ts'
import { printable } from '../../../../shared/text/printable.ts'
import * as v from 'valibot'
import { writeProfile } from '../../../maturity/profile-file.ts'
import { connect } from '../api.ts'
import { writeOutput } from '../inspect/files.ts'
import { connectionOptions } from '../settings.ts'
import { field, paragraph, timeText } from '../text.ts'
import { profileNamed, ProfileSummary } from './profile-answers.ts'

const Profiles = v.object({ items: v.array(ProfileSummary) })
const day = (time: string | null): string => (time === null ? '-' : timeText(time).slice(0, 10))

const list = defineCommand({
  name: 'profile list',
  summary: 'Profiles of the decision log, and when each is to be reviewed',
  options: connectionOptions,
  json: true,
  run: async ({ options, terminal, present, table }) => {
    const profiles = await connect(options, terminal.env).get('/profiles', Profiles)
    const columns = [
      { title: 'PROFILE', shrinks: false },
      { title: 'KIND', shrinks: false },
      { title: 'APPROVED', shrinks: false },
      { title: 'NEWEST', shrinks: false },
      { title: 'REVIEW BY', shrinks: false },
      { title: 'TITLE' },
    ]
    const rows = profiles.items.map(({ id, kind, approvedVersion, latest, nextReviewDue, reviewOverdue, title }) => [
      id,
      kind,
      String(approvedVersion ?? '-'),
      String(latest.version),
      reviewOverdue ? `${day(nextReviewDue)}!` : day(nextReviewDue),
      title ?? '',
    ])
    const overdue = profiles.items.filter(({ reviewOverdue }) => reviewOverdue).map(({ id }) => id)
    present(profiles, () =>
      [
        table(columns, rows).trimEnd(),
        ...(overdue.length === 0 ? [] : paragraph('', printable(`the review is overdue: ${overdue.join(', ')}`))),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

const versionOption = {
  version: { description: 'Which; without it the newest.', value: integer(1, 1_000_000), placeholder: 'NUMBER' },
} as const

const unpatchedText = ({ hardware, packages }: UnpatchedScope): string =>
  `Without fixes: hardware ${hardware.join(', ') || 'of all revisions'}, for ${packages.join(', ') || 'all packages'}.`

function describe(document: ProfileDocument): readonly string[] {
  return [
    ...practicesOf(document).flatMap(([id, { target, priority, rationale }]) => [
      `  ${PRACTICES[id].name}: level ${target.level}, ${target.scope}, ${priority}`,
      ...(rationale === undefined ? [] : paragraph('    ', printable(rationale))),
    ]),
    ...document.limitations.flatMap(({ title, reason, compensation, unpatched }) => [
      ...paragraph('  ', printable(`Limitation: ${title}. ${reason}`)),
      ...paragraph('    ', printable(compensation === null ? 'Nothing makes up for it.' : compensation.text)),
      ...(unpatched === undefined ? [] : paragraph('    ', printable(unpatchedText(unpatched)))),
    ]),
    ...document.assumptions.flatMap(({ text: words }) => paragraph('  ', printable(`Assumed: ${words}`))),
  ]
}

const show = defineCommand({
  name: 'profile show',
  summary: 'What a profile guarantees, its versions and reviews',
  arguments: { profile: { description: 'Its id.' } },
  options: { ...connectionOptions, ...versionOption },
  json: true,
  run: async ({ arguments: { profile: id }, options, terminal, present, style }) => {
    const answer = await profileNamed(connect(options, terminal.env), id, options.version)
    const { profile, versions, reviews, shown, document } = answer
    present(answer, () =>
      [
        ...field(
          'profile',
          printable(`${profile.id}, ${profile.kind}: ${profile.title ?? 'its document is not here'}`),
        ),
        ...versions.flatMap(({ version, digest, change, approvedAt }) => [
          ...field(
            `version ${version}`,
            `${change.kind}, ${approvedAt === null ? 'not approved' : `approved ${day(approvedAt)}`}`,
          ),
          ...field('', digest),
          ...(change.publicNote === undefined ? [] : field('', printable(change.publicNote))),
        ]),
        ...field(
          'review by',
          profile.reviewOverdue ? style('red', `${day(profile.nextReviewDue)}, overdue`) : day(profile.nextReviewDue),
        ),
        ...reviews.flatMap(({ at, outcome, text: words }) =>
          field(`reviewed`, printable(`${day(at)} ${outcome}: ${words}`)),
        ),
        ...(document === null ? [] : ['', `Version ${shown} guarantees:`, ...describe(document)]),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

const exportFile = defineCommand({
  name: 'profile export',
  summary: 'Write a version of a profile as a file, to be read, edited and applied',
  arguments: { profile: { description: 'Its id.' } },
  options: {
    ...connectionOptions,
    ...versionOption,
    out: { description: 'File to write; standard output without.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  run: async ({ arguments: { profile: id }, options, terminal, present }) => {
    const { document } = await profileNamed(connect(options, terminal.env), id, options.version)
    if (document === null) throw new KeepsealError('profile.document-missing', id)
    const { out } = options
    if (out === undefined) present(document, () => writeProfile(document).trimEnd())
    else {
      writeOutput(out, Buffer.from(writeProfile(document)))
      present({ out }, () => printable(out))
    }
    return exitCodes.good
  },
})

export const profileViewCommands: readonly Command[] = [list, show, exportFile]
