import { useResource } from '../core/resource.ts'
import type { Certificate, Profile } from '../core/types-more.ts'
import { practiceName } from '../i18n/practice.ts'
import { date, t, word } from '../i18n/text.ts'
import { lazy } from '../core/lazy.tsx'
import { CERTIFICATE_STAGES, stageOf } from '../model/certificate-stage.ts'
import { Stages } from '../parts/stages.tsx'
import { Page } from '../parts/page.tsx'
import { Command, Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import { certificateTone, certificateWord } from './certificates.tsx'

/** With what it takes to verify signatures, which other pages need not. */
const CertificateLog = lazy(async () => (await import('./certificate-log.tsx')).CertificateLog)

/** Certificate and profile beside each other: neither says anything without the other. */
export function CertificatePage({ id }: { readonly id?: string }) {
  const certificate = useResource<Certificate>(`/certificates/${encodeURIComponent(id ?? '')}`)
  const { data } = certificate
  const profile = useResource<Profile>(
    data === undefined ? null : `/profiles/${encodeURIComponent(data.profile.id)}?version=${data.profile.version}`,
  )
  return (
    <Page
      title={data === undefined ? t('nav.certificates') : t('certificate.title', { number: data.number })}
      crumbs={[{ href: '/certificates', text: t('nav.certificates') }]}
    >
      {certificate.error !== undefined && <ProblemBox error={certificate.error} retry={certificate.reload} />}
      {data === undefined && certificate.error === undefined && <Loading />}
      {data !== undefined && (
        <div class="pair">
          <CertificateSide certificate={data} />
          <section aria-labelledby="profile">
            <h2 id="profile">
              {t('certificate.profile')} {data.profile.id}, {data.profile.version}
            </h2>
            <p class="code quiet">{data.profile.digest}</p>
            {profile.error !== undefined && <ProblemBox error={profile.error} />}
            {profile.data !== undefined && <ProfileSide profile={profile.data} />}
          </section>
        </div>
      )}
      {data !== undefined && (
        <>
          <CertificateLog key={data.id} id={data.id} isIssued={data.issuedAt !== null} onDecided={certificate.reload} />
          <p class="hint">{t('certificate.logHint')}</p>
          <Command text={`keepseal log export --out log.cbor\nkeepseal inspect log log.cbor`} />
        </>
      )}
    </Page>
  )
}

const CertificateSide = ({ certificate }: { readonly certificate: Certificate }) => (
  <section aria-labelledby="certificate">
    <h2 id="certificate">{t('certificate.certificate')}</h2>
    <p class="first">
      <Status tone={certificateTone(certificate)}>{certificateWord(certificate)}</Status>
    </p>
    <Stages
      label={t('stage.title')}
      stages={CERTIFICATE_STAGES.map((id) => ({ id, text: t(`stage.${id}`) }))}
      current={stageOf(certificate)}
      tone={certificateTone(certificate)}
    />
    {certificate.reason !== '' && <p>{certificate.reason}</p>}
    {certificate.conditions !== null && (
      <p class="note">
        {t('certificate.conditions', { until: date(certificate.conditions.until) })} {certificate.conditions.text}
      </p>
    )}
    {certificate.suspension !== null && (
      <p class="note">
        {t('certificate.suspension', {
          until: date(certificate.suspension.until),
          since: date(certificate.suspension.since),
        })}
      </p>
    )}
    <dl>
      <dt>{t('certificate.claims')}</dt>
      <dd>{certificate.claimsAllowedFor.join(', ') || t('app.none')}</dd>
      <dt>{t('certificate.issued')}</dt>
      <dd>{certificate.issuedAt === null ? '–' : date(certificate.issuedAt)}</dd>
      <dt>{t('certificate.valid')}</dt>
      <dd>
        {date(certificate.validFrom)} – {date(certificate.validUntil)}
      </dd>
      <dt>{t('certificate.support')}</dt>
      <dd>{date(certificate.supportUntil)}</dd>
      <dt>{t('certificate.public')}</dt>
      <dd>
        <a href={`/c/${certificate.id}`}>/c/{certificate.id}</a>
      </dd>
    </dl>
    <h3>{t('nav.products')}</h3>
    <ul>
      {certificate.products.map(({ product, hardwareRevisions, firmwareLines, representative, rationale }) => (
        <li key={product}>
          <strong>{product}</strong> {representative && <span class="quiet">({t('certificate.representative')})</span>}
          <br />
          <span class="code">
            {hardwareRevisions.join(', ')} · {firmwareLines.join(', ')}
          </span>
          <br />
          <span class="hint">{rationale}</span>
        </li>
      ))}
    </ul>
  </section>
)

function ProfileSide({ profile: { document, profile } }: { readonly profile: Profile }) {
  if (document === null) return <p>{t('certificate.noDocument')}</p>
  return (
    <>
      <p>
        <strong>{document.title}</strong>
      </p>
      {document.summary !== undefined && <p>{document.summary}</p>}
      {profile.nextReviewDue !== null && (
        <p>
          <Status tone={profile.reviewOverdue ? 'bad' : 'quiet'}>
            {t('certificate.review', { at: date(profile.nextReviewDue) })}
          </Status>
        </p>
      )}
      <table>
        <thead>
          <tr>
            <th scope="col">{t('practices.practice')}</th>
            <th scope="col">{t('practices.level')}</th>
            <th scope="col">{t('certificate.scope')}</th>
            <th scope="col">{t('certificate.priority')}</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(document.practices).map(([practice, { target, priority }]) => (
            <tr key={practice}>
              <td>{practiceName(practice)}</td>
              <td>{target.level}</td>
              <td>{word('scope', target.scope)}</td>
              <td>{word('priority', priority)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>{t('certificate.limitations')}</h3>
      {document.limitations.length === 0 && <p>{t('app.none')}</p>}
      <ul>
        {document.limitations.map(({ id, title, reason, compensation }) => (
          <li key={id}>
            <strong>{title}</strong>: {reason} {compensation !== null && <span class="hint">{compensation.text}</span>}
          </li>
        ))}
      </ul>
      <h3>{t('certificate.assumptions')}</h3>
      {document.assumptions.length === 0 && <p>{t('app.none')}</p>}
      <ul>
        {document.assumptions.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
    </>
  )
}
