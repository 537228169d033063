import { useResource } from '../core/resource.ts'
import type { Certificate, List } from '../core/types-more.ts'
import { date, t, word } from '../i18n/text.ts'
import type { Tone } from '../model/standing.ts'
import { Page } from '../parts/page.tsx'
import { Command, Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

const TONES: Readonly<Record<string, Tone>> = {
  valid: 'good',
  'valid-with-conditions': 'warn',
  draft: 'quiet',
  suspended: 'bad',
  withdrawn: 'bad',
  superseded: 'quiet',
  abandoned: 'quiet',
}

/** A state that its dates contradict is no good one. */
export const certificateTone = ({ state, expired, conditionsOverdue }: Certificate): Tone =>
  expired || conditionsOverdue ? 'bad' : (TONES[state] ?? 'quiet')

export const certificateWord = ({ state, expired, conditionsOverdue }: Certificate): string =>
  [
    word('certificate', state),
    ...(expired ? [t('certificate.expired')] : []),
    ...(conditionsOverdue ? [t('certificate.overdue')] : []),
  ].join(', ')

export function CertificatesPage() {
  const { data, error, reload } = useResource<List<Certificate>>('/certificates')
  return (
    <Page title={t('nav.certificates')}>
      {error !== undefined && <ProblemBox error={error} retry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data?.items.length === 0 && (
        <>
          <p>{t('certificates.empty')}</p>
          <Command text="keepseal certificate draft --help" />
        </>
      )}
      <ul class="cards">
        {data?.items.map((certificate) => (
          <li key={certificate.id}>
            <h2>
              <a href={`/certificates/${certificate.id}`}>{certificate.number}</a>
            </h2>
            <Status tone={certificateTone(certificate)}>{certificateWord(certificate)}</Status>
            <p>{certificate.products.map(({ product }) => product).join(', ')}</p>
            <p class="hint">
              {t('certificate.profile')}: {certificate.profile.id}, {certificate.profile.version} ·{' '}
              {t('certificate.until')} {date(certificate.validUntil)}
            </p>
          </li>
        ))}
      </ul>
    </Page>
  )
}
