import * as v from 'valibot'
import type { Column } from '../../../shared/cli/table.ts'
import { printable } from '../../../shared/text/printable.ts'
import type { ApiClient } from './api.ts'
import { shortName } from './practice-names.ts'
import { paragraph, timeText, toneOf } from './text.ts'

/** What the API computes of a certificate. */
const CertificateConformity = v.looseObject({
  conformity: v.string(),
  practices: v.array(
    v.looseObject({ practice: v.string(), target: v.number(), counts: v.boolean(), conformity: v.string() }),
  ),
  live: v.array(v.looseObject({ product: v.string(), conformity: v.string(), evaluatedAt: v.nullable(v.string()) })),
})
type CertificateConformity = v.InferOutput<typeof CertificateConformity>

export const certificateConformity = (client: ApiClient, id: string): Promise<CertificateConformity> =>
  client.get(`/certificates/${encodeURIComponent(id)}`, CertificateConformity)

export function certificateTable(
  { practices }: CertificateConformity,
  table: (columns: readonly Column[], rows: readonly (readonly string[])[]) => string,
): string {
  const columns = [
    { title: 'PRACTICE', shrinks: false },
    { title: 'TARGET', align: 'right', shrinks: false },
    { title: 'CONFORMITY', shrinks: false, style: toneOf },
    { title: 'COUNTS' },
  ] as const
  const row = ({ practice, target, counts, conformity }: CertificateConformity['practices'][number]) => [
    shortName(practice),
    String(target),
    conformity,
    counts ? 'yes' : 'no, by its priority',
  ]
  return table(columns, practices.map(row))
}

export const certificateNote = ({ conformity, live }: CertificateConformity): string =>
  [
    printable(`${conformity}: the worst of the practices that count, of all products`),
    ...live.flatMap(({ product, conformity: is, evaluatedAt }) =>
      paragraph(
        '  ',
        printable(`${product}: ${is}, ${evaluatedAt === null ? 'not evaluated' : timeText(evaluatedAt)}`),
      ),
    ),
  ].join('\n')
