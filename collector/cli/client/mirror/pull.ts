import { toHex } from '../../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import type { DeviceKey } from '../../../../shared/evidence/evidence.ts'
import { openMirrorPage, type MirrorPage } from '../../../../shared/mirror/page.ts'
import { positionText, rewrittenParts } from '../../../../shared/mirror/position.ts'
import type { MirrorReader } from '../../../../shared/mirror/reader.ts'
import type { ApiClient } from '../api.ts'
import { keepRefused, openMirror, writePage, type Mark } from './directory.ts'
import { follow, type Trusted } from './trust.ts'

/** What a pull has come to. */
export interface Pulled extends Trusted {
  readonly reader: MirrorReader
  /** Pages. */
  readonly added: number
}

/**
 * Follows the collector to the key that it has now, checks what is in the directory, and adds to it what the collector has
 * more. Whatever does not follow is refused, and the pages stay as they were.
 */
export async function pull(client: ApiClient, directory: string, wantedKey: string | undefined): Promise<Pulled> {
  const trusted = await follow(client, directory, wantedKey)
  const { reader, marks } = openMirror(directory, trusted.chain)
  // What is new counts by the key in force alone.
  const key = trusted.chain.newest.key
  const known: Mark[] = [...marks]
  let added = 0
  for (;;) {
    const bytes = await ask(client, reader.until, reader.head)
    const page = openMirrorPage(bytes, [key])
    try {
      reader.assertFollows(page)
    } catch (error) {
      if (!(error instanceof KeepsealError)) throw error
      throw await located(error, { client, key, known, file: keepRefused(directory, bytes) })
    }
    if (isEmpty(page)) return { reader, ...trusted, added }
    reader.add(bytes)
    writePage(directory, reader.pages, bytes)
    known.push({ until: reader.until, anchors: reader.anchors })
    added += 1
  }
}

const isEmpty = ({ enrolments, declarations, decisions, evidence }: MirrorPage): boolean =>
  enrolments.length + declarations.length + decisions.length + evidence.length === 0

/** Any digest will do where the answer is only looked at: the position alone says what it is about. */
function ask(client: ApiClient, after: Mark['until'], head: Uint8Array | null): Promise<Uint8Array> {
  const previous = head === null ? '' : `&previous=${toHex(head)}`
  return client.getBytes(`/mirror?after=${positionText(after)}${previous}`)
}

interface Refused {
  readonly client: ApiClient
  readonly key: DeviceKey
  readonly known: readonly Mark[]
  readonly file: string
}

/** A rewritten past is looked for from the start of the mirror, by halves: the last page that the collector still holds to. */
async function located(error: KeepsealError, { client, key, known, file }: Refused): Promise<KeepsealError> {
  if (error.code !== 'mirror.past-rewritten') return error
  let [good, bad] = [0, known.length - 1]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    const mark = known[middle]
    if (mark === undefined) break
    const bytes = await ask(client, mark.until, new Uint8Array(32))
    const { end, anchors } = openMirrorPage(bytes, [key])
    if (rewrittenParts(mark.until, end, mark.anchors, anchors).length === 0) good = middle
    else bad = middle
  }
  const detail = error.message.slice(error.message.indexOf(': ') + 2)
  return new KeepsealError('mirror.past-rewritten', `from page ${bad} on (${detail}); its answer: ${file}`, {
    cause: error,
  })
}
