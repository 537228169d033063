import type { Certificate } from '../../../shared/decisions/certificate.ts'
import { divergencesOf } from '../../../shared/decisions/coverage.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import type { Product } from '../../model/product.ts'
import type { Release } from '../../model/release.ts'
import type { CoverageGroup } from '../../store/reporting.ts'
import type { LineMembers } from '../triggers/registry-triggers.ts'

/** How the units of a product diverge from one certificate, counted. */
export function lineMembers(
  register: Pick<Register, 'certificates'>,
  certificate: Certificate,
  { vendor, model }: Pick<Product, 'vendor' | 'model'>,
  groups: readonly CoverageGroup[],
  releases: readonly Pick<Release, 'id' | 'name'>[],
): LineMembers {
  const hardware = new Map<string, number>()
  const software = new Map<string, number>()
  let unlistedModel = 0
  const add = (counts: Map<string, number>, key: string, units: number): void =>
    void counts.set(key, (counts.get(key) ?? 0) + units)
  for (const { hardwareRevision: revision, releaseId, count } of groups) {
    const release = releases.find(({ id }) => id === releaseId)?.name ?? null
    const hardwareRevision = revision === '' ? null : revision
    for (const divergence of divergencesOf(register, { vendor, model, hardwareRevision, release })) {
      if (divergence.certificate !== certificate.id) continue
      if (divergence.reason === 'hardware-not-listed') add(hardware, revision, count)
      else if (divergence.reason === 'release-not-listed') add(software, releaseId ?? '', count)
      // Beside a single product there is no line that another one could have left.
      else if (certificate.line !== null) unlistedModel += count
    }
  }
  return {
    unlisted: [...hardware].map(([revision, units]) => ({ revision, units })),
    diverged: [...software].map(([releaseId, units]) => ({
      releaseId,
      release: releases.find(({ id }) => id === releaseId)?.name ?? releaseId,
      units,
    })),
    unlistedModel,
  }
}
