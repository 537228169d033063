import { codeTitle, errorRemedy, t } from '../i18n/text.ts'
import type { ApiError } from '../core/api.ts'

/** What went wrong, and what to do next. */
export function ProblemBox({ error, retry }: { readonly error: ApiError; readonly retry?: () => void }) {
  const { type, title, detail, remedy } = error.problem
  const isUnreachable = type === 'client.unreachable'
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{isUnreachable ? t('error.unreachable') : codeTitle(type, title)}</strong>
      </p>
      {detail !== '' && detail !== title && <p>{detail}</p>}
      {(isUnreachable || remedy !== '') && (
        <p>
          {t('error.todo')}: {isUnreachable ? t('error.unreachableRemedy') : errorRemedy(type, remedy)}
        </p>
      )}
      {type !== '' && <p class="code">{type}</p>}
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          {t('app.retry')}
        </button>
      )}
    </div>
  )
}

export const Loading = () => (
  <p class="loading" role="status">
    {t('app.loading')}…
  </p>
)

/** A command to type, where a page has nothing to show or an act is none of a page. */
export const Command = ({ text }: { readonly text: string }) => (
  <pre class="command">
    <code>{text}</code>
  </pre>
)
