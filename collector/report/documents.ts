import { standingOfDocument } from '../../shared/decisions/documents/standing.ts'
import type { ReportedDocument } from './model.ts'
import { ofSeconds, type Making } from './sources.ts'

/** What people have stated about these products for practices that no sensor sees, and how long it is good for. */
export function reportDocuments(
  { register, now, ledger }: Making,
  products: readonly string[],
): readonly ReportedDocument[] {
  return [...register.documents.values()]
    .filter((each) => each.products.some((product) => products.includes(product)))
    .map((document) => {
      const { standing, counts, signerRevoked } = standingOfDocument(document, register, Math.floor(now / 1000))
      const { id, kind, practices, criterion, capacity, submittedBy, issued, validUntil, file } = document
      return {
        id,
        kind,
        practices,
        products: document.products.filter((product) => products.includes(product)),
        criterion,
        capacity,
        signer: register.people.get(submittedBy)?.name ?? submittedBy,
        signerRevoked,
        standing,
        counts,
        issued: ofSeconds(issued),
        validUntil: ofSeconds(validUntil),
        sha256: ledger.add('document', file.sha256, `${kind} ${id}`),
      }
    })
    .sort((a, b) => (a.validUntil < b.validUntil ? -1 : 1))
}
