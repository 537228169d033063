import { useResource } from '../core/resource.ts'
import type { Product } from '../core/types-more.ts'
import type { Concern, Update, Vulnerabilities } from '../core/types-advisories.ts'
import { count, date, number, t, word } from '../i18n/text.ts'
import { chartOf } from '../model/conformity.ts'
import { exposureByDay, exposureTone, isOpen, severityTone } from '../model/exposure.ts'
import { LongTable } from '../parts/long-table.tsx'
import { Page } from '../parts/page.tsx'
import { Command, Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

/** What the devices of a product are affected by: since when, what to ship next, and each advisory. */
export function VulnerabilitiesPage({ id }: { readonly id?: string }) {
  const path = `/products/${id ?? ''}`
  const product = useResource<Product>(path)
  const { data, error, reload } = useResource<Vulnerabilities>(`${path}/vulnerabilities`, () => true)
  const name = product.data === undefined ? t('fleet.product') : `${product.data.vendor} ${product.data.model}`
  return (
    <Page
      title={t('advisories.title')}
      crumbs={[
        { href: '/products', text: t('nav.products') },
        { href: `/products/${id}`, text: name },
      ]}
    >
      {error !== undefined && <ProblemBox error={error} retry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && <Shown id={id ?? ''} found={data} />}
    </Page>
  )
}

function Shown({ id, found }: { readonly id: string; readonly found: Vulnerabilities }) {
  const { items, updates, devices, unknownDevices, patching } = found
  const open = items.filter(isOpen)
  if (items.length === 0 && patching.length === 0) {
    return (
      <>
        <p class="first" data-testid="nothing">
          {t('advisories.empty')}
        </p>
        <Command text="keepseal advisory import FILE --of distribution" />
        <UnknownDevices unknown={unknownDevices} devices={devices} />
      </>
    )
  }
  return (
    <>
      <p class="first">
        <Status tone={open.length === 0 ? 'good' : open.some(isSevere) ? 'bad' : 'warn'}>
          {open.length === 0
            ? t('advisories.none')
            : count('advisories.open', new Set(open.map((one) => one.advisory)).size)}
        </Status>
      </p>
      <UnknownDevices unknown={unknownDevices} devices={devices} />
      <section aria-labelledby="over-time">
        <h2 id="over-time">{t('advisories.overTime')}</h2>
        <OverTime found={found} />
      </section>
      <section aria-labelledby="next">
        <h2 id="next">{t('advisories.next')}</h2>
        <p class="hint">{t('advisories.nextHint')}</p>
        {updates.length === 0 && <p>{t('advisories.nothingToShip')}</p>}
        <ol class="updates">
          {updates.slice(0, MOST).map((update) => (
            <UpdateItem key={`${update.ecosystem} ${update.source}`} id={id} update={update} devices={devices} />
          ))}
        </ol>
        {updates.length > MOST && <Command text={`keepseal advisory list --product ${id} --by update`} />}
      </section>
      <section aria-labelledby="advisories">
        <h2 id="advisories">{t('advisories.all')}</h2>
        <LongTable
          label={t('advisories.all')}
          rows={items}
          columns={[
            t('products.severity'),
            t('advisories.advisory'),
            t('table.state'),
            t('advisories.package'),
            t('advisories.fixedIn'),
            t('products.devices'),
          ]}
          textOf={({ advisory, summary, packages }) => [advisory, summary, ...packages].join(' ')}
          cells={(row) => cellsOf(id, row)}
        />
      </section>
    </>
  )
}

const MOST = 10
const isSevere = ({ severity, exploited }: Concern): boolean =>
  exploited || severity === 'critical' || severity === 'high'

const UnknownDevices = ({ unknown, devices }: { readonly unknown: number; readonly devices: number }) =>
  unknown === 0 ? null : (
    <p>
      <Status tone="warn">{t('advisories.unknownDevices', { unknown, devices })}</Status>
    </p>
  )

const cellsOf = (id: string, row: Concern) => [
  <Status tone={severityTone(row.severity, row.exploited)}>
    {row.exploited ? t('advisories.exploited') : severityWord(row.severity)}
  </Status>,
  <>
    <a href={advisoryHref(id, row.advisory)}>{row.advisory}</a>
    <span class="quiet summary">{row.summary}</span>
  </>,
  row.excludedUntil === null ? (
    <Status tone={exposureTone(row.status)}>{word('exposure', row.status)}</Status>
  ) : (
    <Status tone="quiet">{t('advisories.excluded', { until: date(row.excludedUntil) })}</Status>
  ),
  <span class="code">{row.packages.join(' ')}</span>,
  <span class="code">{row.fixedIn ?? '–'}</span>,
  <>
    {number(row.devices)}
    {row.ruling !== null && row.ruling.scope !== '' && (
      <span class="quiet"> ({t('advisories.onlyFor', { scope: row.ruling.scope })})</span>
    )}
    {row.limited > 0 && <span class="quiet"> ({t('advisories.limited', { n: row.limited })})</span>}
  </>,
]

export const severityWord = (severity: string | null): string =>
  severity === null ? t('advisories.unrated') : word('severity', severity)

export const advisoryHref = (id: string, advisory: string): string =>
  `/products/${id}/advisories/${encodeURIComponent(advisory)}`

function UpdateItem({
  id,
  update,
  devices,
}: {
  readonly id: string
  readonly update: Update
  readonly devices: number
}) {
  const { source, version, ecosystem, advisories, exploited, severity, ports, probability, oldest } = update
  const why = [
    ...(exploited > 0 ? [t('advisories.why.exploited', { n: exploited })] : []),
    t('advisories.why.severity', { severity: severityWord(severity) }),
    ...(ports.length > 0 ? [t('advisories.why.listens', { ports: ports.join(', ') })] : []),
    ...(probability === null ? [] : [t('advisories.why.likely', { percent: number(probability / 10_000, 1) })]),
    ...(oldest === null ? [] : [t('advisories.why.oldest', { day: date(oldest) })]),
  ]
  return (
    <li>
      <strong>
        <Status tone={severityTone(severity, exploited > 0)}>
          {source} {version}
        </Status>
      </strong>{' '}
      <span class="quiet">{ecosystem}</span>
      <br />
      {t('advisories.settles', { n: advisories.length, devices: update.devices, all: devices })}
      <br />
      <span class="quiet">{why.join(' · ')}</span>
      <br />
      {advisories.slice(0, 5).map((name) => (
        <span key={name}>
          <a href={advisoryHref(id, name)}>{name}</a>{' '}
        </span>
      ))}
      {advisories.length > 5 && <span class="quiet">+ {number(advisories.length - 5)}</span>}
    </li>
  )
}

const BOX = { width: 600, height: 100 }
const DAYS = 90

function OverTime({ found }: { readonly found: Vulnerabilities }) {
  const days = exposureByDay(found.patching, Date.now(), DAYS)
  const top = { isAtLeast: false, value: Math.max(0, ...days.map(({ all }) => all)) }
  const samples = (of: 'all' | 'severe') => days.map((day) => ({ value: day[of] }))
  const [first, last] = [days[0], days.at(-1)]
  const label = t('advisories.chart', {
    days: DAYS,
    before: first?.all ?? 0,
    now: last?.all ?? 0,
    severe: last?.severe ?? 0,
  })
  return (
    <figure class="signal wide">
      <figcaption>{label}</figcaption>
      <svg viewBox={`-2 -2 ${BOX.width + 4} ${BOX.height + 4}`} role="img" aria-label={label}>
        {chartOf(samples('all'), top, BOX).paths.map((each) => (
          <path key={each} class="line" d={each} />
        ))}
        {chartOf(samples('severe'), top, BOX).paths.map((each) => (
          <path key={each} class="line severe" d={each} />
        ))}
      </svg>
      <p class="hint">{t('advisories.chartLegend')}</p>
    </figure>
  )
}
