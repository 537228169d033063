import { useRef } from 'preact/hooks'
import { useResource } from '../core/resource.ts'
import type { CaseDetail } from '../core/types-more.ts'
import { codeTitle, count, dateTime, number, t, word } from '../i18n/text.ts'
import { LongTable } from '../parts/long-table.tsx'
import { Page } from '../parts/page.tsx'
import { Command, Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import { Ago } from '../parts/time.tsx'
import { CaseDecision } from './case-decision.tsx'
import { Impact } from './case-impact.tsx'
import { severityTone } from './cases.tsx'

export function CasePage({ id }: { readonly id?: string }) {
  const { data, error, reload } = useResource<CaseDetail>(`/cases/${id ?? ''}`, () => true)
  // What somebody has looked at: what others decide meanwhile is shown to him, and never taken for seen.
  const seen = useRef<CaseDetail | undefined>(undefined)
  if (seen.current === undefined) seen.current = data
  return (
    <Page
      title={data === undefined ? t('nav.cases') : codeTitle(data.cause, data.title)}
      crumbs={[{ href: '/cases', text: t('nav.cases') }]}
    >
      {error !== undefined && <ProblemBox error={error} retry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && (
        <>
          <p class="first">
            <Status tone={severityTone(data.severity)}>
              {word('severity', data.severity)} · {word('case', data.state)}
            </Status>
          </p>
          {data.next !== null && (
            <p class="note">
              {t('case.next')}: <strong>{data.next.who}</strong>: {data.next.what} {data.next.decide}
            </p>
          )}
          <div class="pair">
            <Facts entry={data} />
            <Deadlines entry={data} />
          </div>
          <Impact entry={data} />
          <CaseDecision
            entry={data}
            seen={seen.current ?? data}
            onSeen={(now) => (seen.current = now)}
            reload={reload}
          />
          <Findings entry={data} />
          <h2>{t('case.bundle')}</h2>
          <Command text={`keepseal case export ${data.id} --out ${data.id}.json`} />
        </>
      )}
    </Page>
  )
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const Facts = ({ entry }: { readonly entry: CaseDetail }) => (
  <section aria-labelledby="facts">
    <h2 id="facts">{t('device.facts')}</h2>
    <dl>
      <dt>{t('certificate.certificate')}</dt>
      <dd>
        <a href={`/certificates/${entry.certificateId}`}>{entry.certificateId}</a>
      </dd>
      <dt>{t('fleet.product')}</dt>
      <dd>
        <a href={`/products/${entry.productId}`}>{entry.productId}</a>
      </dd>
      <dt>{t('case.cause')}</dt>
      <dd class="code">
        {entry.trigger} {entry.cause} {entry.subject}
      </dd>
      <dt>{t('case.opened')}</dt>
      <dd>{dateTime(entry.openedAt)}</dd>
      <dt>{t('case.units')}</dt>
      <dd>{number(entry.affectedUnits)}</dd>
      {entry.fleet !== null && (
        <>
          <dt>{t('case.fleet')}</dt>
          <dd>
            {number(entry.fleet.shown)} / {number(entry.fleet.declared)} ({entry.fleet.wanted} %)
          </dd>
        </>
      )}
    </dl>
    <details>
      <summary>{t('case.allFacts')}</summary>
      <dl>
        {Object.entries(entry.facts).map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd class="code">{textOf(value)}</dd>
          </>
        ))}
      </dl>
    </details>
  </section>
)

const Deadlines = ({ entry }: { readonly entry: CaseDetail }) => (
  <section aria-labelledby="deadlines">
    <h2 id="deadlines">{t('case.deadlines')}</h2>
    <ul class="plain">
      {entry.deadlines.map(({ id, title, due, metAt, overdue, legal }) => (
        <li key={id}>
          <Status tone={metAt !== null ? 'good' : overdue ? 'bad' : 'quiet'}>
            {title}: {metAt !== null ? t('case.met') : overdue ? t('cases.overdue') : t('cases.due')} <Ago at={due} />
          </Status>
          {legal && <span class="hint"> {t('case.legal')}</span>}
        </li>
      ))}
    </ul>
    <h2>{t('case.history')}</h2>
    {entry.history.length === 0 && <p>{t('case.noHistory')}</p>}
    <ol class="plain">
      {entry.history.map(({ index, at, name, role, step, state }) => (
        <li key={index}>
          <span class="quiet">{dateTime(at)}</span> {name} ({role ?? '–'}): {step} → {word('case', state)}
        </li>
      ))}
    </ol>
  </section>
)

const Findings = ({ entry }: { readonly entry: CaseDetail }) => (
  <section aria-labelledby="findings">
    <h2 id="findings">
      {t('products.findings')} <span class="quiet">{count('list.rows', entry.findingCount)}</span>
    </h2>
    {entry.findings.length > 0 && (
      <LongTable
        label={t('products.findings')}
        rows={entry.findings}
        columns={[t('fleet.column.device'), t('products.finding'), t('table.subject'), t('table.state')]}
        textOf={({ deviceUeid, code, title, subject }) => `${deviceUeid} ${codeTitle(code, title)} ${subject}`}
        cells={({ deviceUeid, code, title, subject, state }) => [
          <a class="code" href={`/devices/${deviceUeid}`}>
            {deviceUeid}
          </a>,
          codeTitle(code, title),
          <span class="code">{subject}</span>,
          state,
        ]}
      />
    )}
  </section>
)
