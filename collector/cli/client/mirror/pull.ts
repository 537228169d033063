import * as v from 'valibot'
import { fromBase64Url, toHex } from '../../../../shared/bytes/bytes.ts'
import type { CoseKey } from '../../../../shared/cose/key.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { openMirrorPage, type MirrorPage } from '../../../../shared/mirror/page.ts'
import { positionText, rewrittenParts } from '../../../../shared/mirror/position.ts'
import type { MirrorReader } from '../../../../shared/mirror/reader.ts'
import type { ApiClient } from '../api.ts'
import { collectorKey, keepRefused, keyIdOf, openMirror, pin, pinnedKey, writePage, type Mark } from './directory.ts'

const Collector = v.object({
  key: v.object({ crv: v.literal('Ed25519'), x: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)) }),
})

/** The key of the collector that is asked. Errors: mirror.collector-changed unless it is the pinned or wanted one. */
async function keyOf(client: ApiClient, pinned: CoseKey | undefined, wanted: string | undefined): Promise<CoseKey> {
  const { key } = await client.get('/collector', Collector)
  const now: CoseKey = { curve: 'Ed25519', x: fromBase64Url(key.x) }
  for (const expected of [wanted, pinned && keyIdOf(pinned)]) {
    if (expected !== undefined && expected !== keyIdOf(now)) {
      throw new KeepsealError('mirror.collector-changed', `key ${keyIdOf(now)}, and ${expected} is wanted`)
    }
  }
  return now
}

/**
 * Checks what is in the directory, and adds to it what the collector has more. Whatever does not follow is refused, and
 * the directory stays as it was. Gives what was read and the key of the collector.
 */
export async function pull(
  client: ApiClient,
  directory: string,
  wantedKey: string | undefined,
): Promise<{ readonly reader: MirrorReader; readonly keyId: string; readonly added: number }> {
  const pinned = pinnedKey(directory)
  const key = await keyOf(client, pinned, wantedKey)
  const { reader, marks } = openMirror(directory, key)
  if (pinned === undefined) pin(directory, key)
  const known: Mark[] = [...marks]
  let added = 0
  for (;;) {
    const bytes = await ask(client, reader.until, reader.head)
    const page = openMirrorPage(bytes, collectorKey(key))
    try {
      reader.assertFollows(page)
    } catch (error) {
      if (!(error instanceof KeepsealError)) throw error
      throw await located(error, { client, key, known, file: keepRefused(directory, bytes) })
    }
    if (isEmpty(page)) return { reader, keyId: keyIdOf(key), added }
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
  readonly key: CoseKey
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
    const { end, anchors } = openMirrorPage(bytes, collectorKey(key))
    if (rewrittenParts(mark.until, end, mark.anchors, anchors).length === 0) good = middle
    else bad = middle
  }
  const detail = error.message.slice(error.message.indexOf(': ') + 2)
  return new KeepsealError('mirror.past-rewritten', `from page ${bad} on (${detail}); its answer: ${file}`, {
    cause: error,
  })
}
