import { KeepsealError } from '../../shared/errors.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import { loadDocument } from '../ingest/known-releases.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import type { Release } from '../model/release.ts'
import type { Store } from '../store/index.ts'
import type { CompiledRelease } from './compiled.ts'
import { decodeDocument, type ReleaseFile } from './document.ts'
import { joinFile } from './file.ts'

/** A release with all that it names. Errors: request.not-found, release.content-unknown. */
export async function readRelease(
  store: Store,
  { id, name, productId }: Release,
): Promise<{ readonly file: ReleaseFile; readonly compiled: CompiledRelease }> {
  const bytes = await store.releases.documentOf(id)
  const product = await store.products.byId(productId)
  if (bytes === undefined || product === undefined) throw new KeepsealError('request.not-found', `release ${name}`)
  const document = decodeDocument(bytes)
  const compiled = await loadDocument(store, product.vendor, document)
  if (compiled === undefined) throw new KeepsealError('release.content-unknown', name)
  const readings = new Map<string, SectionReading>()
  for (const { captured } of compiled.sections.values()) {
    if (captured !== null) readings.set(toHex(captured.digest), captured.reading)
  }
  return { file: joinFile(document, readings, compiled.boot?.reference ?? null), compiled }
}
