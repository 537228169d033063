import { useResource } from '../core/resource.ts'
import type { Practice, Practices } from '../core/types-more.ts'
import { codeTitle, dateTime, percent, t, word } from '../i18n/text.ts'
import { cellOf, conformityTone, LEVELS } from '../model/conformity.ts'
import { Page } from '../parts/page.tsx'
import { Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

const SIGNS = { supported: '●', missing: '○', beyond: '·', empty: '' } as const

/** All practices by level: what is wanted, what is there, and whether that conforms. */
export function PracticesPage({ id }: { readonly id?: string }) {
  const { data, error, reload } = useResource<Practices>(`/products/${id ?? ''}/practices`, () => true)
  const domains = [...new Set(data?.items.map(({ domain }) => domain))]
  return (
    <Page
      title={t('practices.title')}
      crumbs={[
        { href: '/products', text: t('nav.products') },
        { href: `/products/${id}`, text: t('fleet.product') },
      ]}
    >
      {error !== undefined && <ProblemBox error={error} retry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && (
        <>
          <p class="first">
            <Status tone={conformityTone(data.conformity)}>{word('conformity', data.conformity)}</Status>
          </p>
          <p class="hint">
            {data.evaluatedAt === null
              ? t('practices.never')
              : t('practices.evaluated', { at: dateTime(data.evaluatedAt) })}{' '}
            {t('practices.legend')}
          </p>
          <div class="table" tabIndex={0} role="region" aria-label={t('practices.title')}>
            <table class="matrix">
              <thead>
                <tr>
                  <th scope="col">{t('practices.practice')}</th>
                  {LEVELS.map((level) => (
                    <th key={level} scope="col" class="level">
                      <span class="hidden">{t('practices.level')} </span>
                      {level}
                    </th>
                  ))}
                  <th scope="col">{t('practices.conformity')}</th>
                  <th scope="col">{t('practices.coverage')}</th>
                  <th scope="col">{t('practices.why')}</th>
                </tr>
              </thead>
              {domains.map((domain) => (
                <tbody key={domain}>
                  <tr>
                    <th scope="rowgroup" colSpan={8} class="domain">
                      {word('domain', domain)}
                    </th>
                  </tr>
                  {data.items
                    .filter((practice) => practice.domain === domain)
                    .map((practice) => (
                      <Row key={practice.practice} productId={id ?? ''} practice={practice} />
                    ))}
                </tbody>
              ))}
            </table>
          </div>
        </>
      )}
    </Page>
  )
}

function Row({ productId, practice }: { readonly productId: string; readonly practice: Practice }) {
  const { name, target, conformity, coverage, reasons } = practice
  return (
    <tr>
      <th scope="row">
        <a href={`/products/${productId}/practices/${practice.practice}`}>{codeTitle(practice.practice, name)}</a>
      </th>
      {LEVELS.map((level) => {
        const cell = cellOf(practice, level)
        return (
          <td key={level} class={`level ${cell} ${target === level ? 'target' : ''}`}>
            <span aria-hidden="true">{SIGNS[cell]}</span>
            <span class="hidden">{t(`practices.cell.${cell}`)}</span>
          </td>
        )
      })}
      <td>
        {target === null ? (
          <span class="quiet">{t('practices.notAsked')}</span>
        ) : (
          <Status tone={conformityTone(conformity)}>{word('conformity', conformity)}</Status>
        )}
      </td>
      <td>{coverage === null ? '–' : percent(coverage.known, coverage.denominator)}</td>
      <td class="quiet">{target === null ? '' : (reasons[0]?.text ?? '')}</td>
    </tr>
  )
}
