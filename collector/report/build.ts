import { toHex } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { isInForce, type Certificate } from '../../shared/decisions/certificate.ts'
import { namesOf, vendorOf } from '../../shared/decisions/products.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { digestOfCatalogue } from '../../shared/maturity/catalogue/catalogue.ts'
import { dayOf } from '../../shared/maturity/conformity/sample.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import type { SloOverride } from '../../shared/maturity/slo-override.ts'
import type { SignalId } from '../../shared/maturity/signals.ts'
import type { Product } from '../model/product.ts'
import { agreedAbout, stageLimits, stepItems } from './agreed.ts'
import { documentOf, reportCertificate } from './certificates.ts'
import { reportCases } from './cases.ts'
import { reportDecisions } from './decisions.ts'
import { reportDocuments } from './documents.ts'
import { gapsOf } from './gap.ts'
import { Ledger } from './ledger.ts'
import { REPORT_FORMAT, type Report, type ReportedCertificate, type ReportedProduct, type ReportKind } from './model.ts'
import { HISTORY_DAYS, type ProductSource } from './objectives.ts'
import { reportProduct } from './products.ts'
import { roadmapOf } from './roadmap.ts'
import { time, type Making, type Period, type ReportSources } from './sources.ts'
import { standardsOf } from './standards.ts'

export type ReportSubject = { readonly certificate: string } | { readonly product: string }

/**
 * A report about a certificate with all of its products, or about one product with the certificates in force for it.
 * Error: request.not-found.
 */
export async function buildReport(
  sources: ReportSources,
  { kind, subject, period }: { readonly kind: ReportKind; readonly subject: ReportSubject; readonly period: Period },
): Promise<Report> {
  const register = await sources.decisions.register()
  const making: Making = { ...sources, register, period, ledger: new Ledger(), limits: new Set(GENERAL_LIMITS) }
  const { catalogue, collectorId, ledger, now } = making
  const { certificates, products } = await subjectOf(making, subject)
  const read = await Promise.all(products.map((product) => sourceOf(making, product, certificates)))

  const shown: ReportedCertificate[] = []
  for (const certificate of certificates) shown.push(await reportCertificate(making, certificate, read))
  const reported: ReportedProduct[] = []
  for (const source of read) reported.push(await reportProduct(making, source))
  const cases = await reportCases(making, read)
  const digest = ledger.add('catalogue', digestOfCatalogue(catalogue, hash), catalogue.version)
  const names = reported.map(({ product }) => product)
  const decisions = await reportDecisions(making, certificates, names)
  const agreed = agreedAbout(register, names, Math.floor(now / 1000))
  for (const limit of stageLimits(register, names)) making.limits.add(limit)
  const gaps = gapsOf(reported, shown, agreed)
  const steps = stepItems(agreed, names)
  return {
    format: REPORT_FORMAT,
    kind,
    madeAt: time(now),
    period: { from: time(period.from), to: time(period.to) },
    collector: toHex(collectorId),
    operator: register.operator === '' ? null : register.operator,
    subject,
    log: await logOf(making),
    catalogue: { version: catalogue.version, digest },
    certificates: shown,
    products: reported,
    documents: reportDocuments(making, names),
    decisions,
    cases,
    ...(kind === 'gap' ? { gap: gaps } : {}),
    ...(kind === 'roadmap' ? { roadmap: roadmapOf({ gaps, cases, decided: register.cases, steps, now }) } : {}),
    ...(kind === 'standards' ? { standards: standardsOf(reported, catalogue) } : {}),
    evidence: ledger.items,
    limits: [...making.limits],
  }
}

/** What is so of every report. */
const GENERAL_LIMITS = [
  'Practices, coverage, certificates and cases are as of when the report was made; changes, decisions and findings are those of the period.',
  'Decisions are those about certificate, profile, releases, people, documents and roadmap; those about a case are in its bundle.',
  'Of documents there are what was signed about them, and their digests: the documents themselves are not kept here.',
]

async function logOf({ register: { head }, decisions }: Making): Promise<Report['log']> {
  const { log } = await decisions.next()
  return head === null || log === null ? null : { id: toHex(log), index: head.index, hash: toHex(head.hash) }
}

async function subjectOf(
  making: Making,
  subject: ReportSubject,
): Promise<{ readonly certificates: readonly Certificate[]; readonly products: readonly Product[] }> {
  const { register, store, decisions, now, limits } = making
  if ('product' in subject) {
    const product = await store.products.byId(subject.product)
    if (product === undefined) throw new KeepsealError('request.not-found', `product ${subject.product}`)
    const certificates = await decisions.certificatesCovering(product.id, now)
    if (certificates.length === 0) limits.add('No certificate is in force for the product: nothing is agreed about it.')
    return { certificates, products: [product] }
  }
  const certificate = register.certificates.get(subject.certificate)
  if (certificate === undefined) throw new KeepsealError('request.not-found', `certificate ${subject.certificate}`)
  if (!isInForce(certificate)) limits.add('The certificate is not in force: its targets are what it asked for.')
  const products: Product[] = []
  for (const name of namesOf(certificate.products)) {
    const vendor = vendorOf(name)
    const product = await store.products.byVendorModel(vendor, name.slice(vendor.length + 1))
    if (product === undefined) limits.add(`${name} is listed by the certificate and unknown to this collector.`)
    else products.push(product)
  }
  return { certificates: [certificate], products }
}

/** What its certificates ask for together: each has to hold, so the highest target counts. */
async function sourceOf(
  { store, register, period }: Making,
  product: Product,
  certificates: readonly Certificate[],
): Promise<ProductSource> {
  const targets = new Map<PracticeId, { readonly level: number; readonly scope: string }>()
  const slo: Partial<Record<SignalId, SloOverride>> = {}
  for (const { profile } of certificates) {
    const version = register.profiles.get(profile.id)?.find((each) => each.version === profile.version)
    for (const [id, target] of Object.entries(version?.targets ?? {})) {
      const practice = id as PracticeId
      if ((targets.get(practice)?.level ?? 0) < target.level) targets.set(practice, target)
    }
    const document = await documentOf(store, profile.digest)
    for (const practice of Object.values(document?.practices ?? {})) Object.assign(slo, practice.slo)
  }
  const samples = await store.practices.samples(product.id, dayOf(period.to) - HISTORY_DAYS)
  return { product, targets, slo, samples }
}
