import * as v from 'valibot'
import { equal, toHex } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { MAX_SBOM_BYTES, SBOM_FORMATS } from '../../../shared/sbom/component.ts'
import { parseSbom } from '../../../shared/sbom/parse.ts'
import { computeReleases } from '../../advisories/compute.ts'
import { compareSbom } from '../../advisories/sbom-comparison.ts'
import type { Release } from '../../model/release.ts'
import type { ReleaseSbom } from '../../model/release-sbom.ts'
import { existingRelease } from '../../releases/manage.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, id, Time, toTime, toTimeOrNull } from '../schemas.ts'
import { ReleaseParams } from './releases.ts'
import { FLEET, READERS } from './roles.ts'

/** Lines of one answer. */
const MOST = 500

const SbomJson = v.strictObject({
  releaseId: id('rel'),
  /** SHA-256 of the document. */
  digest: Digest,
  /** False: the release has other content by now. What is said here counts for it no more. */
  isOfRelease: v.boolean(),
  format: v.picklist(SBOM_FORMATS),
  formatVersion: v.string(),
  subject: v.nullable(v.strictObject({ name: v.string(), version: v.nullable(v.string()) })),
  created: v.nullable(Time),
  importedAt: Time,
  importedBy: v.string(),
  /** All; those of package managers, which are compared; those without a version, which nothing can be ruled out for. */
  components: v.number(),
  managed: v.number(),
  versionless: v.number(),
})

function sbomJson({ sbom, ...made }: ReleaseSbom, release: Release): v.InferOutput<typeof SbomJson> {
  return {
    releaseId: made.releaseId,
    digest: made.digest,
    isOfRelease: equal(made.releaseDigest, release.digest),
    format: sbom.format,
    formatVersion: sbom.formatVersion,
    subject: sbom.subject === null ? null : { ...sbom.subject },
    created: toTimeOrNull(sbom.createdAt),
    importedAt: toTime(made.importedAt),
    importedBy: made.importedByName,
    components: sbom.components.length,
    managed: sbom.components.filter(({ isManaged }) => isManaged).length,
    versionless: sbom.components.filter(({ version }) => version === null).length,
  }
}

const take = defineEndpoint({
  method: 'PUT',
  path: '/releases/:id/sbom',
  operationId: 'importReleaseSbom',
  summary: 'Say what a release is made of, by a bill of materials (CycloneDX or SPDX as JSON)',
  roles: FLEET,
  scope: 'own',
  bodyBytes: 2 * MAX_SBOM_BYTES,
  params: ReleaseParams,
  body: v.strictObject({
    /** Of the release that it is of, as whoever wrote it has seen it. */
    releaseDigest: Digest,
    /** Of the document that this one takes the place of; null: there is none. */
    replaces: v.nullable(Digest),
    document: v.pipe(v.string(), v.minLength(2)),
  }),
  response: SbomJson,
  run: async ({ store, clock }, { params, body, actor }) => {
    const sbom = parseSbom(body.document)
    const digest = toHex(sha256(new TextEncoder().encode(body.document)))
    const made = await store.transaction(async (transaction) => {
      const release = await existingRelease(transaction, params.id)
      if (toHex(release.digest) !== body.releaseDigest) {
        throw new KeepsealError('request.conflict', `release ${release.name} has other content by now`)
      }
      const before = await transaction.releaseSboms.ofRelease(release.id)
      if ((before?.digest ?? null) !== body.replaces) {
        throw new KeepsealError('request.conflict', `release ${release.name} has another bill of materials by now`)
      }
      const now = clock()
      const { id: importedBy, name: importedByName } = actor
      const saved = { releaseId: release.id, releaseDigest: release.digest, digest, sbom, importedAt: now }
      await transaction.releaseSboms.save({ ...saved, importedBy, importedByName })
      const detail = { digest, format: sbom.format, components: sbom.components.length }
      const about = { action: 'release.sbom', subject: release.id, detail }
      await transaction.auditLog.append({ at: now, actor: actor.id, ...about })
      return sbomJson({ ...saved, importedBy, importedByName }, release)
    })
    await computeReleases(store)
    return made
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/releases/:id/sbom',
  operationId: 'getReleaseSbom',
  summary: 'What a release is made of, what advisories say of it, and how devices that run it differ',
  roles: READERS,
  scope: 'own',
  params: ReleaseParams,
  response: v.strictObject({
    ...SbomJson.entries,
    items: v.array(
      v.strictObject({
        ecosystem: v.string(),
        name: v.string(),
        version: v.nullable(v.string()),
        supplier: v.nullable(v.string()),
        isManaged: v.boolean(),
      }),
    ),
    /** How devices that run the release differ from it, in packages of package managers. */
    comparison: v.strictObject({
      devices: v.number(),
      silent: v.number(),
      isComparable: v.boolean(),
      missing: v.array(
        v.strictObject({
          name: v.string(),
          version: v.nullable(v.string()),
          devices: v.number(),
          installed: v.array(v.string()),
        }),
      ),
      extra: v.array(v.strictObject({ name: v.string(), version: v.string(), devices: v.number() })),
    }),
    /** Lists were cut. */
    more: v.boolean(),
  }),
  run: async ({ store }, { params }) => {
    const release = await existingRelease(store, params.id)
    const found = await store.releaseSboms.ofRelease(release.id)
    if (found === undefined)
      throw new KeepsealError('request.not-found', `bill of materials of release ${release.name}`)
    const { missing, extra, ...comparison } = await compareSbom(store, release.id, found.sbom)
    const { components } = found.sbom
    return {
      ...sbomJson(found, release),
      items: components.slice(0, MOST).map((one) => ({ ...one })),
      comparison: {
        ...comparison,
        missing: missing.slice(0, MOST).map((one) => ({ ...one, installed: [...one.installed] })),
        extra: extra.slice(0, MOST).map((one) => ({ ...one })),
      },
      more: Math.max(components.length, missing.length, extra.length) > MOST,
    }
  },
})

export const releaseSbomEndpoints: readonly Endpoint[] = [take, show]
