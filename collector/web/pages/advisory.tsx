import { useResource } from '../core/resource.ts'
import type { AdvisoryDetail, Effect, Ruling } from '../core/types-advisories.ts'
import { count, date, dateTime, t, word } from '../i18n/text.ts'
import { exposureTone, severityTone } from '../model/exposure.ts'
import { Page } from '../parts/page.tsx'
import { Command, Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import { severityWord } from './vulnerabilities.tsx'

/** One advisory: what it says, and what it means for each group of devices of the product, with why. */
export function AdvisoryPage({ id, name }: { readonly id?: string; readonly name?: string }) {
  const { data, error, reload } = useResource<AdvisoryDetail>(`/advisories/${encodeURIComponent(name ?? '')}`)
  const own = data?.effects.filter(({ productId }) => productId === id) ?? []
  return (
    <Page
      title={name ?? ''}
      crumbs={[
        { href: `/products/${id}`, text: t('fleet.product') },
        { href: `/products/${id}/vulnerabilities`, text: t('advisories.title') },
      ]}
    >
      {error !== undefined && <ProblemBox error={error} retry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && (
        <>
          {data.advisories.map((one) => (
            <dl key={one.feed}>
              <dt>{t('advisories.about')}</dt>
              <dd>{one.summary || '–'}</dd>
              <dt>{t('products.severity')}</dt>
              <dd>
                <Status tone={severityTone(one.severity)}>{severityWord(one.severity)}</Status>
              </dd>
              <dt>{t('advisories.names')}</dt>
              <dd class="code">{one.aliases.slice(0, 20).join(' ') || '–'}</dd>
              <dt>{t('advisories.published')}</dt>
              <dd>
                {one.published === null ? '–' : date(one.published)}
                {', '}
                {t('advisories.known', { at: dateTime(one.knownAt), feed: one.feed })}
              </dd>
              {one.withdrawn !== null && (
                <>
                  <dt>{t('advisories.withdrawn')}</dt>
                  <dd>{date(one.withdrawn)}</dd>
                </>
              )}
            </dl>
          ))}
          <section aria-labelledby="groups">
            <h2 id="groups">{t('advisories.groups')}</h2>
            {own.length === 0 && <p>{t('advisories.noGroups')}</p>}
            <ul class="updates">
              {own.map((effect, index) => (
                <Group key={index} effect={effect} />
              ))}
            </ul>
            <ul>
              {data.stated
                .filter(({ productId, isOver }) => productId === id && !isOver)
                .map((one, index) => (
                  <li key={index}>
                    <RulingNote ruling={{ ...one, until: one.expiresAt }} />
                  </li>
                ))}
            </ul>
            <p class="hint">{t('advisories.excludeHint')}</p>
            <Command text={`keepseal advisory exclude ${name} --product ${id} --reason 'WHY' --until TIME`} />
          </section>
          <section aria-labelledby="says">
            <h2 id="says">{t('advisories.says')}</h2>
            <ul>
              {data.statements.slice(0, MOST).map((one, index) => (
                <li key={index}>
                  <span class="code">
                    {one.ecosystem} {one.release} {one.package}
                  </span>
                  {': '}
                  {word('statement', one.statement)}
                  {one.ranges.at(-1)?.fixed != null && (
                    <> · {t('advisories.fixed', { version: one.ranges.at(-1)?.fixed ?? '' })}</>
                  )}
                  {one.justification !== null && <span class="quiet"> ({one.justification})</span>}
                </li>
              ))}
            </ul>
            {data.statements.length > MOST && <Command text={`keepseal advisory show ${name}`} />}
          </section>
        </>
      )}
    </Page>
  )
}

const MOST = 40

function Group({ effect }: { readonly effect: Effect }) {
  const { status, reason, installed, fixedIn, justification, disputedBy, devices, limited, limitation } = effect
  return (
    <li>
      <strong>
        <Status tone={effect.excludedUntil === null ? exposureTone(status) : 'quiet'}>
          {count('advisories.devices', devices)}: {word('exposure', status)}
        </Status>
      </strong>
      <br />
      <span class="code">
        {effect.package} {installed}
      </span>
      {fixedIn !== null && <> · {t('advisories.fixed', { version: fixedIn })}</>}
      <br />
      {word('exposureReason', reason)}
      {justification !== null && <> “{justification}”</>}
      {disputedBy.length > 0 && (
        <>
          <br />
          <span class="quiet">{t('advisories.disputed', { others: disputedBy.join(', ') })}</span>
        </>
      )}
      {limited > 0 && (
        <>
          <br />
          <Status tone="warn">{t('advisories.byLimitation', { n: limited, limitation: limitation ?? '' })}</Status>
        </>
      )}
      {effect.ruling !== null && (
        <>
          <br />
          <RulingNote ruling={effect.ruling} />
        </>
      )}
    </li>
  )
}

const VERDICTS: Readonly<Record<string, 'advisories.excluded' | 'advisories.stated' | 'advisories.statedAffected'>> = {
  excluded: 'advisories.excluded',
  'not-affected': 'advisories.stated',
  affected: 'advisories.statedAffected',
}

function RulingNote({ ruling }: { readonly ruling: Ruling }) {
  const { verdict, scope, reason, until } = ruling
  const key = VERDICTS[verdict] ?? 'advisories.excluded'
  return (
    <>
      <Status tone="quiet">{t(key, { until: date(until) })}</Status>
      {scope !== '' && <> · {t('advisories.onlyFor', { scope })}</>}
      <span class="quiet"> “{reason}”</span>
    </>
  )
}
