import { DOMAINS } from '../../shared/maturity/practices.ts'
import type { Reason } from '../../shared/maturity/conformity/status.ts'
import { agreedOf, NOTHING_AGREED, type Agreed } from './agreed.ts'
import type { ReportedCertificate, ReportedPractice, ReportedProduct } from './model.ts'
import type { DomainGap, PracticeGap } from './model-kinds.ts'

/** Which products a certificate is about decides by whose priorities they are shown. */
export type CertificateView = Pick<ReportedCertificate, 'products' | 'profile'>

/** What a profile asks for against what is supported now, and what would restore it: by domain, then product. */
export function gapsOf(
  products: readonly ReportedProduct[],
  certificates: readonly CertificateView[],
  agreed: Agreed = NOTHING_AGREED,
): readonly DomainGap[] {
  return DOMAINS.map((domain) => ({
    domain,
    practices: products.flatMap((product) =>
      product.practices
        .filter((practice) => practice.domain === domain)
        .flatMap((practice) => gapOf(product, practice, certificates, agreed)),
    ),
  }))
}

function gapOf(
  { product }: ReportedProduct,
  { practice, name, target, supported, conformity, reasons }: ReportedPractice,
  certificates: readonly CertificateView[],
  agreed: Agreed,
): PracticeGap[] {
  if (target === null) return []
  const priorities = certificates
    .filter(({ products }) => products.some((each) => each.product === product))
    .flatMap(({ profile }) => profile.document?.priorities[practice] ?? [])
  return [
    {
      product,
      practice,
      name,
      priority: PRIORITY_ORDER.find((each) => priorities.includes(each)) ?? null,
      target,
      supported,
      missing: Math.max(0, target - supported),
      conformity,
      restore: reasons.map(restoreOf),
      ...agreedOf(agreed, product, practice),
    },
  ]
}

/** The most urgent first. */
export const PRIORITY_ORDER: readonly string[] = ['must', 'should', 'may']

const restoreOf = ({ code, signal, document, text, restore }: Reason): PracticeGap['restore'][number] => ({
  code,
  about: signal ?? document ?? null,
  why: text,
  what: restore,
})

/** Something has to be done about it: a level is missing, or it does not conform. */
export const isOpen = ({ missing, conformity }: Pick<PracticeGap, 'missing' | 'conformity'>): boolean =>
  missing > 0 || conformity !== 'conforming'
