import * as v from 'valibot'
import type { Output } from '../../../shared/cli/output.ts'
import { printable } from '../../../shared/text/printable.ts'
import { Release } from './release-reference.ts'
import { field, paragraph, timeText, toneOf } from './text.ts'

export const ReleaseDetail = v.looseObject({
  ...Release.entries,
  history: v.array(v.looseObject({ at: v.string(), action: v.string(), person: v.string() })),
})

const STANDINGS: Readonly<Record<string, string>> = {
  'not-in-force': 'was never in force',
  accepted: 'accepted',
  closed: 'not accepted any more: its window has closed',
  'below-minimum': 'not accepted: below the minimum',
  revoked: 'not accepted: revoked',
}

export const actText = (act: { readonly by: string; readonly at: string } | null): string =>
  act === null ? 'no' : `${act.by}, ${timeText(act.at)}`

/** A release with what was decided about it, and what comes next. */
export function describeRelease(
  release: v.InferOutput<typeof Release>,
  { style }: Pick<Output, 'style'>,
  history: v.InferOutput<typeof ReleaseDetail>['history'] = [],
): string[] {
  const tone = toneOf(release.state)
  return [
    ...field('release', printable(`${release.name} (${release.id})`)),
    ...field('state', tone === undefined ? printable(release.state) : style(tone, printable(release.state))),
    ...field('devices', `may run it: ${STANDINGS[release.standing] ?? printable(release.standing)}`),
    ...field('', `run it: ${release.deviceCount}`),
    ...field('authors', printable(release.authors.join(', '))),
    ...field('approved', printable(actText(release.approved))),
    ...field('countersigned', printable(actText(release.countersigned))),
    ...(release.activatedAt === null ? [] : field('active since', timeText(release.activatedAt))),
    ...(release.acceptedUntil === null ? [] : field('accepted', `until ${timeText(release.acceptedUntil)}`)),
    ...(release.isMinimum ? field('minimum', 'every earlier release is below it') : []),
    ...field('seen', printable(release.seen)),
    ...(history.length === 0 ? [] : ['', 'history']),
    ...history.flatMap(({ at, action, person }) =>
      paragraph('  ', printable(`${timeText(at)}  ${action.replace('release.', '')} by ${person}`)),
    ),
  ]
}

/** What comes next in the life of a release, as a command. */
export function nextStep({ state, seen, id }: Pick<Release, 'state' | 'seen' | 'id'>): string | undefined {
  switch (state) {
    case 'draft':
      return `another person looks at it and approves it: keepseal release approve ${id} --seen ${seen}`
    case 'approved':
      return `put it in force: keepseal release activate ${id} --until TIME`
    default:
      return undefined
  }
}
