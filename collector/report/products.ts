import { findings } from '../../shared/codes/findings.ts'
import { worstStatus } from '../../shared/maturity/conformity/status.ts'
import { countCovered, coverGroups } from '../decisions/fleet-coverage.ts'
import type { Product } from '../model/product.ts'
import type { FleetSummary } from '../model/practice.ts'
import type { ReportedFinding, ReportedProduct } from './model.ts'
import { reportObjectives, type ProductSource } from './objectives.ts'
import { reportPractices } from './practices.ts'
import { time, type Making } from './sources.ts'

/** What is listed of it by its digest; of more there is the number alone. */
const MAX_EVIDENCE = 1_000
const MAX_POSTURES = 100

export async function reportProduct(making: Making, source: ProductSource): Promise<ReportedProduct> {
  const { store } = making
  const { product } = source
  const evaluation = await store.practices.evaluation(product.id)
  const practices = await reportPractices(making, source)
  await addPostures(making, product)
  return {
    id: product.id,
    product: `${product.vendor}/${product.model}`,
    evaluatedAt: evaluation === undefined ? null : time(evaluation.evaluatedAt),
    fleet: evaluation === undefined ? null : (JSON.parse(evaluation.fleet) as FleetSummary),
    ...(await reportCoverage(making, product)),
    conformity: worstStatus(practices.flatMap(({ target, conformity }) => (target === null ? [] : [conformity]))),
    practices,
    objectives: reportObjectives(making, source),
    findings: await reportFindings(making, product),
  }
}

/** Of active units, how many are covered now, and why the others are not. */
async function reportCoverage(
  { store, register, now, ledger }: Making,
  product: Product,
): Promise<Pick<ReportedProduct, 'covered' | 'notCovered'>> {
  const groups = await store.reporting.coverageGroups(product.id)
  const releases = await store.releases.ofProduct(product.id)
  for (const { id, digest, name } of releases) {
    const isRun = groups.some(({ releaseId }) => releaseId === id)
    if (isRun) ledger.add('release', digest, `${product.vendor}/${product.model}@${name}`)
  }
  const { covered, reasons } = countCovered(coverGroups(register, product, groups, releases, Math.floor(now / 1000)))
  return { covered, notCovered: reasons }
}

async function reportFindings(
  { store, period: { from, to }, ledger, limits }: Making,
  product: Product,
): Promise<readonly ReportedFinding[]> {
  const groups = await store.reporting.findingGroups(product.id, from, to)
  const all = groups.reduce((sum, each) => sum + each.findings, 0)
  const listed = await store.reporting.findingEvidence(product.id, from, to, MAX_EVIDENCE)
  for (const { code, evidenceHash } of listed) ledger.add('evidence', evidenceHash, code)
  if (all > listed.length) {
    limits.add(
      `${product.vendor}/${product.model}: of ${all} findings the evidence of the oldest ${listed.length} is listed.`,
    )
  }
  return groups.map((group) => ({ ...group, title: findings[group.code].title }))
}

/** The postures that the fleet reports now, and their sections: what signals of posture rest on. */
async function addPostures({ store, ledger, limits }: Making, product: Product): Promise<void> {
  const groups = await store.fleet.groups(product.id, { stale: 0, staleAt: [], silent: 0, retired: 0 })
  const counts = new Map<string, { readonly digest: Uint8Array; count: number }>()
  for (const { postureDigest, count } of groups) {
    if (postureDigest === null) continue
    const key = postureDigest.join()
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { digest: postureDigest, count })
    else known.count += count
  }
  const sorted = [...counts.values()].sort((a, b) => b.count - a.count)
  if (sorted.length > MAX_POSTURES) {
    limits.add(
      `${product.vendor}/${product.model}: of ${sorted.length} postures those ${MAX_POSTURES} that most units have are listed.`,
    )
  }
  for (const { digest } of sorted.slice(0, MAX_POSTURES)) {
    ledger.add('posture', digest, `${product.vendor}/${product.model}`)
    for (const [section, content] of (await store.postures.find(product.vendor, digest)) ?? []) {
      ledger.add('section', content, section)
    }
  }
}
