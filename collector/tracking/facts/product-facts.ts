import type { Certificate } from '../../../shared/decisions/certificate.ts'
import { productName } from '../../../shared/decisions/products.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import type { PracticeId } from '../../../shared/maturity/practices.ts'
import type { ReassessmentCase } from '../../model/case.ts'
import type { Product } from '../../model/product.ts'
import type { CatalogueVersions } from '../../store/catalogue-versions.ts'
import type { Store } from '../../store/index.ts'
import { isExpiredEvaluation } from '../practices/conformity-of.ts'
import { profileInForce } from '../practices/profiles-in-force.ts'
import type { MissedDeadline } from '../triggers/registry-triggers.ts'
import type { ProductFacts } from '../triggers/registry.ts'
import { documentsOfRevoked, endedDocuments, profileReview } from './documents.ts'
import { analysesOf, incidentsOf, nextDrill } from './events.ts'
import { lineMembers } from './members.ts'
import type { UpdateKeys } from './update-keys.ts'

export interface FactSources {
  readonly store: Store
  readonly register: Register
  /** ms since 1970. */
  readonly now: number
  /** A unit that has reported for so long nothing is not counted as reporting. */
  readonly silentAfterMs: number
  readonly catalogue: CatalogueVersions
  readonly updateKeys: UpdateKeys
}

const DAY_MS = 86_400_000
/** A unit that is revoked is seen to for a day; what reports for so long after that is not switched off. */
const REVOKED_GRACE_MS = DAY_MS
const REVOKED_SEEN_MS = 7 * DAY_MS

const seconds = (ms: number): number => Math.floor(ms / 1000)

/** All that is stored about a product under a certificate which can call for a case. */
export async function productFacts(
  sources: FactSources,
  product: Product,
  certificate: Certificate,
  open: readonly ReassessmentCase[],
  missed: readonly MissedDeadline[],
): Promise<ProductFacts> {
  const { store, register, now, silentAfterMs, catalogue, updateKeys } = sources
  const { id } = product
  const releases = await store.releases.ofProduct(id)
  const events = await store.recordedEvents.counting(id)
  const profile = await profileInForce(store, register, certificate)
  const practices = Object.keys(profile.targets) as PracticeId[]
  const about = { register, product: productName(product), practices, now: seconds(now) }
  const issuedAt = certificate.issuedAt ?? certificate.validFrom
  // What was excluded, or is said not to affect any of them, calls for nothing until that is over.
  const tracked = (await store.trackedAdvisories.ofProduct(id)).filter(
    ({ patchedAt, isSettled }) => patchedAt === null && !isSettled,
  )
  const critical = tracked.filter(({ severity }) => severity === 'critical')
  return {
    now: seconds(now),
    certificate,
    releases,
    analyses: analysesOf(events, releases),
    incidents: incidentsOf(events, issuedAt),
    coverage: await store.fleetProof.coverage(id, now - silentAfterMs),
    members: lineMembers(register, certificate, product, await store.reporting.coverageGroups(id), releases),
    support: {
      lastUpdateAt: latest(releases.flatMap(({ activatedAt }) => (activatedAt === null ? [] : [seconds(activatedAt)]))),
      criticalOpenSince: earliest([
        ...open.filter(({ cause }) => cause === 'vulnerability.critical').map(({ openedAt }) => seconds(openedAt)),
        ...critical.map(({ exposedAt }) => seconds(exposedAt)),
      ]),
    },
    vulnerabilities: tracked.map(({ advisory, severity, exploited, fixKnownAt }) => ({
      id: advisory,
      severity,
      isExploited: exploited,
      isRefuted: false,
      releaseId: null,
      hasFix: fixKnownAt !== null,
    })),
    missed,
    documents: [
      ...endedDocuments(about),
      ...profileReview(register, certificate, profile.document),
      ...nextDrill(events, profile.document),
    ],
    revokedSigners: documentsOfRevoked(about),
    conditions: await conditionsOf(store, id, certificate, now),
    updateKeys: await updateKeys.of(store, product, now - silentAfterMs),
    revokedUnits: await store.refusals.ofRevoked(id, now - REVOKED_SEEN_MS, REVOKED_GRACE_MS),
    catalogue: {
      assessedBy: (await store.catalogueVersions.at(issuedAt * 1000)) ?? catalogue,
      current: catalogue,
    },
  }
}

async function conditionsOf(
  store: Store,
  productId: string,
  { profile: { id, version } }: Certificate,
  now: number,
): Promise<ProductFacts['conditions']> {
  const evaluation = await store.practices.evaluation(productId)
  if (evaluation === undefined || isExpiredEvaluation(evaluation.evaluatedAt, now)) return null
  return evaluation.conditions.filter(({ profile }) => profile.id === id && profile.version === version)
}

const latest = (times: readonly number[]): number | null => (times.length === 0 ? null : Math.max(...times))
const earliest = (times: readonly number[]): number | null => (times.length === 0 ? null : Math.min(...times))
