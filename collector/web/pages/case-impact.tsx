import { useResource } from '../core/resource.ts'
import type { CaseDetail, Certificate, List, Practices, Product } from '../core/types-more.ts'
import type { Fleet } from '../core/types.ts'
import { codeTitle, number, t, word } from '../i18n/text.ts'
import { conformityTone } from '../model/conformity.ts'
import { touchedCertificates, touchedPractices } from '../model/impact.ts'
import { Loading } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import { certificateTone, certificateWord } from './certificates.tsx'

/** What the trigger touches: practices, devices, certificates; and the analysis that somebody has signed. */
export function Impact({ entry }: { readonly entry: CaseDetail }) {
  const product = useResource<Product>(`/products/${entry.productId}`)
  const practices = useResource<Practices>(`/products/${entry.productId}/practices`)
  const certificates = useResource<List<Certificate>>('/certificates')
  const fleet = useResource<Fleet>('/fleet')
  const name = product.data === undefined ? undefined : `${product.data.vendor}/${product.data.model}`
  const counts = fleet.data?.products.find(({ productId }) => productId === entry.productId)?.standings ?? {}
  const all = Object.entries(counts).reduce((sum, [standing, n]) => (standing === 'revoked' ? sum : sum + n), 0)
  const touched = touchedPractices(entry, practices.data)
  const report = entry.decided?.impact ?? null
  return (
    <section aria-labelledby="impact">
      <h2 id="impact">{t('impact.title')}</h2>
      <div class="pair">
        <div>
          <h3>{t('impact.practices')}</h3>
          {practices.data === undefined && practices.error === undefined && <Loading />}
          {practices.data !== undefined && touched.length === 0 && <p>{t('app.none')}</p>}
          <ul class="plain">
            {touched.map(({ practice, name: title, conformity, why }) => (
              <li key={practice}>
                <a href={`/products/${entry.productId}/practices/${practice}`}>{codeTitle(practice, title)}</a>{' '}
                {conformity !== null && (
                  <Status tone={conformityTone(conformity)}>{word('conformity', conformity)}</Status>
                )}{' '}
                <span class="quiet">{why.map((each) => t(`impact.${each}`)).join(', ')}</span>
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h3>{t('impact.devices')}</h3>
          <p>
            <a href={`/?product=${entry.productId}`}>
              {t('impact.devices.value', { n: entry.affectedUnits, all: fleet.data === undefined ? '–' : number(all) })}
            </a>
          </p>
          <h3>{t('impact.certificates')}</h3>
          {certificates.data !== undefined && name !== undefined && (
            <ul class="plain">
              {touchedCertificates(certificates.data.items, name, entry.certificateId).map((each) => (
                <li key={each.id}>
                  <a href={`/certificates/${each.id}`}>{each.number}</a>{' '}
                  <Status tone={certificateTone(each)}>{certificateWord(each)}</Status>{' '}
                  <span class="quiet">
                    {t('certificate.profile')} {each.profile.id}, {each.profile.version}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </div>
      </div>
      <h3>{t('impact.report')}</h3>
      {report === null ? (
        <p>{t('impact.noReport')}</p>
      ) : (
        <>
          <p>{report.summary}</p>
          <ul>
            {report.changes.map(({ what, effect }) => (
              <li key={what}>
                {what}: {effect}
              </li>
            ))}
          </ul>
          {report.affectedEvidence.length > 0 && (
            <p>
              <strong>{t('impact.evidence')}:</strong> {report.affectedEvidence.join('; ')}
            </p>
          )}
        </>
      )}
    </section>
  )
}
