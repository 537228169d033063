import { useResource } from '../core/resource.ts'
import { role } from '../core/session.ts'
import type { AttestedDocument, List, PracticeDetail, Product, Sample, Signal } from '../core/types-more.ts'
import { codeTitle, date, dateTime, t, word } from '../i18n/text.ts'
import { budgetOf, chartOf, conformityTone, objectiveIn } from '../model/conformity.ts'
import { Page } from '../parts/page.tsx'
import { Command, Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

/** One practice: why it stands as it does, its signals by day, its documents. */
export function PracticePage({ id, practice }: { readonly id?: string; readonly practice?: string }) {
  const path = `/products/${id ?? ''}`
  const { data, error, reload } = useResource<PracticeDetail>(`${path}/practices/${practice ?? ''}`)
  const product = useResource<Product>(path)
  const documents = useResource<List<AttestedDocument>>('/documents')
  const name = product.data === undefined ? undefined : `${product.data.vendor}/${product.data.model}`
  const own = documents.data?.items.filter(
    (each) => each.practices.includes(practice ?? '') && (name === undefined || each.products.includes(name)),
  )
  return (
    <Page
      title={data === undefined ? t('practices.practice') : codeTitle(data.practice, data.name)}
      crumbs={[
        { href: `/products/${id}`, text: t('fleet.product') },
        { href: `/products/${id}/practices`, text: t('practices.title') },
      ]}
    >
      {error !== undefined && <ProblemBox error={error} retry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && (
        <>
          <p class="first">
            <Status tone={conformityTone(data.conformity)}>{word('conformity', data.conformity)}</Status>
          </p>
          <dl>
            <dt>{t('practices.target')}</dt>
            <dd>{data.target === null ? t('practices.notAsked') : data.target}</dd>
            <dt>{t('practices.supported')}</dt>
            <dd>{data.supported}</dd>
            {data.confirmed !== null && (
              <>
                <dt>{t('practices.confirmed')}</dt>
                <dd>
                  {data.confirmed.by}, {dateTime(data.confirmed.at)}: {data.confirmed.reason}
                </dd>
              </>
            )}
          </dl>
          <section aria-labelledby="why">
            <h2 id="why">{t('practices.why')}</h2>
            {data.reasons.length === 0 && <p>{t('practices.noReasons')}</p>}
            <ul>
              {data.reasons.map(({ text, restore, code }, index) => (
                <li key={index}>
                  {text} <span class="hint">{restore}</span> <span class="code quiet">{code}</span>
                </li>
              ))}
            </ul>
          </section>
          <section aria-labelledby="signals">
            <h2 id="signals">{t('practices.signals')}</h2>
            <div class="signals">
              {data.signals.map((signal) => (
                <SignalChart key={signal.signal} productId={id ?? ''} signal={signal} />
              ))}
            </div>
          </section>
          <section aria-labelledby="documents">
            <h2 id="documents">{t('practices.documents')}</h2>
            {own === undefined ? <Loading /> : <Documents documents={own} />}
          </section>
          <section aria-labelledby="changes">
            <h2 id="changes">{t('device.timeline')}</h2>
            <ul class="plain">
              {data.changes.map(({ from, to, at }) => (
                <li key={`${at} ${to}`}>
                  <span class="quiet">{dateTime(at)}</span>{' '}
                  <Status tone={conformityTone(to)}>
                    {from !== null && `${word('conformity', from)} → `}
                    {word('conformity', to)}
                  </Status>
                </li>
              ))}
            </ul>
            {role.value === 'certifier' && (
              <Command text={`keepseal practice confirm ${practice} yes --product ${id} --reason 'WHY'`} />
            )}
          </section>
        </>
      )}
    </Page>
  )
}

const BOX = { width: 300, height: 60 }

function SignalChart({ productId, signal }: { readonly productId: string; readonly signal: Signal }) {
  const { data } = useResource<{ history: readonly Sample[] }>(
    `/products/${productId}/signals/${signal.signal}?days=90`,
  )
  const objective = objectiveIn(signal.objective)
  const history = data?.history ?? []
  const { paths, line } = chartOf(history, objective, BOX)
  const budget = objective === undefined ? undefined : budgetOf(history, objective)
  return (
    <figure class="signal">
      <figcaption>
        <strong>{signal.title}</strong>
        <br />
        {signal.shown} <span class="quiet">({signal.objective})</span>
      </figcaption>
      <svg
        viewBox={`-2 -2 ${BOX.width + 4} ${BOX.height + 4}`}
        role="img"
        aria-label={`${signal.title}: ${signal.shown}`}
      >
        {line !== undefined && <path class="slo" d={`M0 ${line.toFixed(1)}H${BOX.width}`} />}
        {paths.map((each) => (
          <path key={each} class="line" d={each} />
        ))}
      </svg>
      {budget !== undefined && history.length > 0 && <p class="hint">{t('practices.budget', { ...budget })}</p>}
    </figure>
  )
}

function Documents({ documents }: { readonly documents: readonly AttestedDocument[] }) {
  if (documents.length === 0) return <p>{t('practices.noDocuments')}</p>
  return (
    <div class="table">
      <table>
        <thead>
          <tr>
            <th scope="col">{t('table.name')}</th>
            <th scope="col">{t('table.state')}</th>
            <th scope="col">{t('practices.validUntil')}</th>
          </tr>
        </thead>
        <tbody>
          {documents.map(({ id, kind, criterion, standing, counts, validUntil }) => (
            <tr key={id}>
              <td>
                {kind} <span class="quiet">{criterion}</span>
              </td>
              <td>
                <Status tone={counts ? 'good' : 'warn'}>{standing}</Status>
              </td>
              <td>{date(validUntil)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
