import { useResource } from '../core/resource.ts'
import type { Page as ListPage } from '../core/types.ts'
import type { Case } from '../core/types-more.ts'
import { codeTitle, t, word } from '../i18n/text.ts'
import { casesIn, COLUMN_NAMES, dueTone } from '../model/case-board.ts'
import type { Tone } from '../model/standing.ts'
import { Page } from '../parts/page.tsx'
import { Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import { Ago } from '../parts/time.tsx'

const SEVERITY_TONES: Readonly<Record<string, Tone>> = { critical: 'bad', high: 'bad', medium: 'warn', low: 'quiet' }
export const severityTone = (severity: string): Tone => SEVERITY_TONES[severity] ?? 'quiet'

/** All cases by whose turn it is, the most pressing on top. */
export function CasesPage() {
  const { data, error, reload } = useResource<ListPage<Case>>('/cases?limit=200', () => true)
  return (
    <Page title={t('nav.cases')}>
      {error !== undefined && <ProblemBox error={error} retry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data?.items.length === 0 && <p>{t('cases.empty')}</p>}
      {data !== undefined && data.items.length > 0 && (
        <div class="board">
          {COLUMN_NAMES.map((column) => {
            const cases = casesIn(column, data.items)
            return (
              <section key={column} aria-labelledby={`column-${column}`}>
                <h2 id={`column-${column}`}>
                  {t(`cases.column.${column}`)} <span class="quiet">{cases.length}</span>
                </h2>
                <ul class="cards">
                  {cases.slice(0, 60).map((each) => (
                    <CaseCard key={each.id} entry={each} />
                  ))}
                </ul>
              </section>
            )
          })}
        </div>
      )}
    </Page>
  )
}

const CaseCard = ({ entry }: { readonly entry: Case }) => (
  <li>
    <a href={`/cases/${entry.id}`}>
      <strong>{codeTitle(entry.cause, entry.title)}</strong>
    </a>
    <p>
      <Status tone={severityTone(entry.severity)}>{word('severity', entry.severity)}</Status>{' '}
      <span class="quiet">{word('case', entry.state)}</span>
    </p>
    <p class="code quiet">{entry.subject}</p>
    {entry.due !== null && (
      <p>
        <Status tone={dueTone(entry, Date.now())}>
          {entry.overdue ? t('cases.overdue') : t('cases.due')} <Ago at={entry.due} />
        </Status>
      </p>
    )}
  </li>
)
