import { useResource } from '../core/resource.ts'
import type { FindingSummary, Product, Release } from '../core/types-more.ts'
import { codeTitle, date, number, percent, t, word } from '../i18n/text.ts'
import type { Tone } from '../model/standing.ts'
import { LongTable } from '../parts/long-table.tsx'
import { Page } from '../parts/page.tsx'
import { Command, Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

interface Releases {
  readonly items: readonly Release[]
  readonly otherDevices: number
}

const STANDING_TONES: Readonly<Record<string, Tone>> = {
  accepted: 'good',
  'not-in-force': 'quiet',
  closed: 'warn',
  'below-minimum': 'bad',
  revoked: 'bad',
}
export const standingTone = (standing: string): Tone => STANDING_TONES[standing] ?? 'quiet'

const SEVERITY_TONES: Readonly<Record<string, Tone>> = { critical: 'bad', high: 'bad', medium: 'warn', low: 'quiet' }

export function ProductPage({ id }: { readonly id?: string }) {
  const path = `/products/${id ?? ''}`
  const product = useResource<Product>(path)
  const releases = useResource<Releases>(`${path}/releases`, () => true)
  const summary = useResource<FindingSummary>(`${path}/finding-summary`, () => true)
  const { data } = product
  return (
    <Page
      title={data === undefined ? t('fleet.product') : `${data.vendor} ${data.model}`}
      crumbs={[{ href: '/products', text: t('nav.products') }]}
    >
      {product.error !== undefined && <ProblemBox error={product.error} retry={product.reload} />}
      <p>
        {data !== undefined && (
          <Status tone={data.isCertified ? 'good' : 'quiet'}>
            {data.isCertified ? t('products.isCertified') : t('products.notCertified')}
          </Status>
        )}{' '}
        · <a href={`/products/${id}/practices`}>{t('practices.title')}</a> ·{' '}
        <a href={`/products/${id}/vulnerabilities`}>{t('advisories.title')}</a> ·{' '}
        <a href={`/?product=${id}`}>{t('products.devices')}</a>
      </p>
      <section aria-labelledby="releases">
        <h2 id="releases">{t('fleet.rollout')}</h2>
        {releases.data === undefined ? <Loading /> : <ReleaseTable releases={releases.data} />}
      </section>
      <section aria-labelledby="findings">
        <h2 id="findings">{t('products.findings')}</h2>
        {summary.data === undefined && <Loading />}
        {summary.data?.items.length === 0 && <p>{t('device.findings.none')}</p>}
        {summary.data !== undefined && summary.data.items.length > 0 && (
          <LongTable
            label={t('products.findings')}
            rows={summary.data.items}
            columns={[
              t('products.severity'),
              t('products.finding'),
              t('table.subject'),
              t('products.release'),
              t('products.devices'),
            ]}
            textOf={({ code, title, subject }) => `${codeTitle(code, title)} ${subject}`}
            cells={({ severity, code, title, subject, release, deviceCount, ofDevices }) => [
              <Status tone={SEVERITY_TONES[severity] ?? 'quiet'}>{word('severity', severity)}</Status>,
              codeTitle(code, title),
              <span class="code">{subject}</span>,
              release ?? t('fleet.noRelease'),
              `${number(deviceCount)} / ${number(ofDevices)}`,
            ]}
          />
        )}
      </section>
    </Page>
  )
}

function ReleaseTable({ releases: { items, otherDevices } }: { readonly releases: Releases }) {
  const all = items.reduce((sum, { deviceCount }) => sum + deviceCount, otherDevices)
  if (items.length === 0) {
    return (
      <>
        <p>{t('products.noReleases')}</p>
        <Command text="keepseal release capture PRODUCT NAME --from UEID" />
      </>
    )
  }
  return (
    <div class="table" tabIndex={0} role="region" aria-label={t('fleet.rollout')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('products.release')}</th>
            <th scope="col">{t('table.state')}</th>
            <th scope="col">{t('fleet.standing')}</th>
            <th scope="col">{t('products.share')}</th>
            <th scope="col">{t('products.activated')}</th>
            <th scope="col">{t('products.until')}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((release) => (
            <tr key={release.id}>
              <td>
                <a href={`/releases/${release.id}`}>{release.name}</a>
              </td>
              <td>{word('release', release.state)}</td>
              <td>
                <Status tone={standingTone(release.standing)}>{word('releaseStanding', release.standing)}</Status>
              </td>
              <td class="share">
                <progress max={Math.max(1, all)} value={release.deviceCount} aria-label={release.name} />{' '}
                {number(release.deviceCount)} · {percent(release.deviceCount, all)}
              </td>
              <td>{release.activatedAt === null ? '–' : date(release.activatedAt)}</td>
              <td>{release.acceptedUntil === null ? '–' : date(release.acceptedUntil)}</td>
            </tr>
          ))}
          <tr>
            <td colSpan={3}>{t('products.others')}</td>
            <td class="share">
              <progress max={Math.max(1, all)} value={otherDevices} aria-label={t('products.others')} />{' '}
              {number(otherDevices)} · {percent(otherDevices, all)}
            </td>
            <td colSpan={2} />
          </tr>
        </tbody>
      </table>
    </div>
  )
}
