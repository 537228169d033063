import * as v from 'valibot'
import { toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { openBundlePage, stateOfFeeds, type OpenedPage } from '../../../shared/advisories/bundle.ts'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { ed25519Key, hash } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect, type ApiClient } from './api.ts'
import { readBundle, writeBundle } from './advisory-bundle-file.ts'
import { toldKeys } from './collector-key.ts'
import { connectionOptions } from './settings.ts'
import { counted, timeText } from './text.ts'

const crypto = { hash, ed25519Key }
/** Something is fetched in the meantime: once more from the start. */
const ATTEMPTS = 3

const pathOf = (before: OpenedPage | undefined): string => {
  if (before?.next === undefined || before.next === null) return '/advisory-bundle'
  const query = {
    index: String(before.index + 1),
    feed: String(before.next.feed),
    after: before.next.after,
    previous: toHex(before.head),
    state: stateOfFeeds(before.feeds, hash),
  }
  return `/advisory-bundle?${new URLSearchParams(query).toString()}`
}

/** All pages, and the last one of them. Errors: advisory.malformed and those of the collector. */
async function pull(client: ApiClient, write: (page: Uint8Array) => void): Promise<OpenedPage> {
  let last: OpenedPage | undefined
  for (;;) {
    const bytes = await client.getBytes(pathOf(last))
    const page = openBundlePage(bytes, crypto)
    if (last !== undefined && page.index !== last.index + 1)
      throw new KeepsealError('advisory.malformed', 'another page')
    write(bytes)
    if (page.next === null) return page
    last = page
  }
}

const make = defineCommand({
  name: 'advisory export',
  summary: 'Write all advisories into one signed file, for collectors without a network',
  description: [
    'All feeds with what they brought, where from and when, signed by the key of the collector, whose thumbprint is shown: ' +
      'whoever takes the file must know it by another way. The same state gives the same bytes.',
  ],
  examples: ['keepseal advisory export advisories.bundle'],
  arguments: { file: { description: 'Where to write it.' } },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { file }, terminal, present, table }) => {
    const client = connect(options, terminal.env)
    // Only what has changed has to be followed: a file without it is read by earlier versions too.
    const { bytes, history } = await toldKeys(client)
    const keys = history.statements.length === 0 ? null : bytes
    let last: OpenedPage | undefined
    for (let attempt = 1; last === undefined; attempt++) {
      try {
        await writeBundle(file, keys, async (write) => {
          last = await pull(client, write)
        })
      } catch (error) {
        last = undefined
        const isChanged = error instanceof KeepsealError && error.code === 'request.conflict'
        if (!isChanged || attempt === ATTEMPTS) throw error
      }
    }
    const { signer, feeds, index } = last
    const time = (ms: number): string => new Date(ms).toISOString()
    const items = feeds.map(({ checkedAt, changedAt, ...of }) => ({
      ...of,
      checkedAt: time(checkedAt),
      changedAt: time(changedAt),
    }))
    present({ file, signer, pages: index + 1, feeds: items }, () =>
      [
        table(
          [
            { title: 'FEED', shrinks: false },
            { title: 'WORD OF' },
            { title: 'ADVISORIES', align: 'right' },
            { title: 'CHECKED', shrinks: false },
          ],
          items.map((one) => [one.name, one.authority, String(one.advisories), timeText(one.checkedAt)]),
        ),
        '',
        `Written: ${printable(file)}`,
        `${counted(index + 1, 'page')}, signed by the collector with the thumbprint`,
        signer,
      ].join('\n'),
    )
    return exitCodes.good
  },
})

const Taken = v.looseObject({
  pages: v.number(),
  feeds: v.nullable(v.array(v.looseObject({ feed: v.string(), advisories: v.number(), before: v.number() }))),
  signer: v.optional(v.string()),
  trusted: v.optional(v.string()),
})
export interface TakenBundle {
  readonly feeds: NonNullable<v.InferOutput<typeof Taken>['feeds']>
  /** Thumbprint of the key that has signed it. */
  readonly signer: string | null
  /** And of the one that is trusted, from which it was followed. */
  readonly trusted: string | null
}

/** Sends the pages of a file in order. Nothing counts before the last. Errors: advisory.*, file.unreadable. */
export async function sendBundle(
  client: ApiClient,
  file: string,
  trust: { readonly signedBy?: string | undefined; readonly force: boolean },
): Promise<TakenBundle> {
  const { signedBy, force } = trust
  const parts = readBundle(file)
  const keys = parts.next().value
  // With the first page they are followed, and known.
  let keyHistory = keys ? { keyHistory: toBase64Url(keys) } : {}
  for (const bytes of parts) {
    if (bytes === null) continue
    const body = { page: toBase64Url(bytes), force, ...(signedBy === undefined ? {} : { signedBy }), ...keyHistory }
    const { feeds, signer = null, trusted = null } = await client.post('/advisory-bundle', body, Taken)
    if (feeds !== null) return { feeds, signer, trusted }
    keyHistory = {}
  }
  throw new KeepsealError('file.unreadable', `${file} is cut off: its last page is missing`)
}

export const advisoryBundleCommands: readonly Command[] = [make]
