import { fromHex } from '../../shared/bytes/bytes.ts'
import type { Certificate } from '../../shared/decisions/certificate.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { Store } from '../store/index.ts'
import { conformityOf, type CertificateConformity } from '../tracking/practices/conformity-of.ts'
import { coverageByProduct, type CertifiedCoverage } from './certified-coverage.ts'
import { FleetCoverage } from './fleet-coverage.ts'

/** What a published status says beside the decision log. Times in ms since 1970. */
export interface PublishedFacts {
  /** Live conformity of a certificate and of its products: the worst of the practices that count. */
  readonly conformityOf: (certificate: Certificate, register: Register, now: number) => Promise<CertificateConformity>
  /** Of each product of a certificate, how many of its active units are covered by it, and why the others are not. */
  readonly coverageOf: (
    certificate: Certificate,
    register: Register,
    now: number,
  ) => Promise<readonly CertifiedCoverage[]>
  /** The document of a profile by its digest, in its one encoding; undefined where nobody has handed it in. */
  readonly profileDocument: (digest: string) => Promise<Uint8Array | undefined>
  readonly fleetCoverage: FleetCoverage
}

export function publishedFacts(store: Store): PublishedFacts {
  const fleetCoverage = new FleetCoverage()
  return {
    conformityOf: (certificate, register, now) => conformityOf(store, register, certificate, now),
    coverageOf: (certificate, register, now) => coverageByProduct(store, fleetCoverage, register, certificate, now),
    profileDocument: (digest) => store.profileDocuments.byDigest(fromHex(digest)),
    fleetCoverage,
  }
}
