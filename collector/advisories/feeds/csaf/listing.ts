import * as v from 'valibot'
import {
  checkedAs,
  instant,
  listOf,
  malformed,
  optionalList,
  shortText,
} from '../../../../shared/advisories/reading.ts'
import { KeepsealError } from '../../../../shared/errors.ts'

/** A document that a CSAF provider offers, with the addresses of what proves it. */
export interface ListedDocument {
  readonly url: string
  readonly updated: string
  /** Where they are told. Others are looked for beside the document. */
  readonly hashUrls: readonly string[]
  readonly signatureUrl: string | null
}

export type Distribution =
  { readonly kind: 'rolie'; readonly url: string } | { readonly kind: 'directory'; readonly url: string }

export const MAX_DOCUMENTS = 500_000
const MAX_DISTRIBUTIONS = 64

const url = v.pipe(
  v.string(),
  v.maxLength(2048),
  v.check((text) => URL.canParse(text), 'an address'),
)

/** CSAF 2.0, section 7.1.7, requirements 7 and 15 to 17. */
const provider = v.looseObject({
  metadata_version: v.literal('2.0'),
  publisher: v.looseObject({ name: shortText(1000) }),
  distributions: optionalList(
    v.looseObject({
      directory_url: v.optional(url),
      rolie: v.optional(
        v.looseObject({
          feeds: listOf(v.looseObject({ url, tlp_label: v.optional(shortText(32), 'UNLABELED') }), MAX_DISTRIBUTIONS),
        }),
      ),
    }),
    MAX_DISTRIBUTIONS,
  ),
})

/** What everybody may read (TLP 1 and 2). */
const PUBLIC = ['WHITE', 'CLEAR', 'UNLABELED']

/** ROLIE feeds before directories: both have the same. Errors: advisory.malformed, advisory.format-unknown. */
export function distributionsOf(value: unknown): readonly Distribution[] {
  const { distributions } = checkedAs(provider, value, 'provider-metadata')
  const rolie = distributions
    .flatMap(({ rolie: of }) => of?.feeds ?? [])
    .filter(({ tlp_label: label }) => PUBLIC.includes(label.toUpperCase()))
    .map(({ url: at }) => ({ kind: 'rolie', url: at }) as const)
  if (rolie.length > 0) return rolie
  const directories = distributions.flatMap(({ directory_url: at }) =>
    at === undefined ? [] : [{ kind: 'directory', url: at } as const],
  )
  if (directories.length > 0) return directories
  throw new KeepsealError('advisory.format-unknown', 'provider-metadata: neither a public ROLIE feed nor a directory')
}

const link = v.looseObject({ rel: v.optional(v.string()), href: shortText(2048) })
const rolieFeed = v.looseObject({
  feed: v.looseObject({
    entry: optionalList(
      v.looseObject({
        id: shortText(256),
        updated: instant,
        content: v.optional(v.looseObject({ src: shortText(2048) })),
        link: optionalList(link, 32),
      }),
      MAX_DOCUMENTS,
    ),
  }),
})

/** RFC 8322, as CSAF 2.0 section 7.1.15 narrows it. Errors: advisory.malformed. */
export function readRolie(value: unknown, base: string): readonly ListedDocument[] {
  const { feed } = checkedAs(rolieFeed, value, 'ROLIE')
  return feed.entry.map(({ id, updated, content, link: links }, index) => {
    const of = (rel: string): readonly string[] =>
      links.filter((each) => each.rel === rel).map(({ href }) => absolute(href, base, `feed.entry.${index}.link`))
    const [self] = of('self')
    const document = self ?? (content && absolute(content.src, base, `feed.entry.${index}.content`))
    if (document === undefined) throw malformed(`feed.entry.${index}`, `${id} has no address`)
    const [signatureUrl = null] = of('signature')
    return { url: document, updated: new Date(updated).toISOString(), hashUrls: of('hash'), signatureUrl }
  })
}

/** CSAF 2.0, section 7.1.11 to 7.1.14: which documents there are, and when each was changed. Errors: advisory.malformed. */
export function readDirectory(index: string, changes: string, base: string): readonly ListedDocument[] {
  const root = base.endsWith('/') ? base : `${base}/`
  const updated = new Map<string, string>()
  for (const [number, line] of lines(changes)) {
    const [, path, time] = /^"?([^",]{1,1024})"?,"?([^",]{1,64})"?$/.exec(line) ?? []
    if (path === undefined || time === undefined || Number.isNaN(Date.parse(time))) {
      throw malformed(`changes.csv line ${number}`, 'is not a path and a time')
    }
    // The newest comes first.
    if (!updated.has(path)) updated.set(path, time)
  }
  const documents: ListedDocument[] = []
  for (const [number, path] of lines(index)) {
    const at = absolute(path, root, `index.txt line ${number}`)
    if (!at.startsWith(root)) throw malformed(`index.txt line ${number}`, 'leads out of the directory')
    documents.push({ url: at, updated: updated.get(path) ?? '', hashUrls: [], signatureUrl: `${at}.asc` })
  }
  return documents
}

function* lines(text: string): Generator<readonly [number, string]> {
  for (const [index, line] of text.split('\n').entries()) {
    if (index >= MAX_DOCUMENTS) throw new KeepsealError('advisory.too-large', `more than ${MAX_DOCUMENTS} lines`)
    const plain = line.trim()
    if (plain !== '') yield [index + 1, plain]
  }
}

function absolute(reference: string, base: string, place: string): string {
  if (!URL.canParse(reference, base)) throw malformed(place, 'is no address')
  const { protocol, href } = new URL(reference, base)
  if (protocol !== 'https:' && protocol !== 'http:') throw malformed(place, `${protocol} is not fetched`)
  return href
}

/** Each once, in order of their addresses; one that is listed twice with different times has the newer. */
export function merged(lists: readonly (readonly ListedDocument[])[]): readonly ListedDocument[] {
  const all = new Map<string, ListedDocument>()
  for (const one of lists.flat()) {
    const known = all.get(one.url)
    if (known === undefined || known.updated < one.updated) all.set(one.url, one)
  }
  return [...all.values()].sort((a, b) => (a.url < b.url ? -1 : 1))
}
