import type { Page, Transition } from '../core/types.ts'
import { dateTime, t, word } from '../i18n/text.ts'
import { axisTone } from '../model/standing.ts'
import { Loading } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

export const Timeline = ({ history }: { readonly history: Page<Transition> | undefined }) => (
  <section aria-labelledby="timeline">
    <h2 id="timeline">{t('device.timeline')}</h2>
    {history === undefined ? (
      <Loading />
    ) : (
      <ol class="timeline plain">
        {history.items.slice(0, 40).map(({ at, axis, from, to, cause }) => (
          <li key={`${at} ${axis} ${to}`}>
            <time dateTime={at} class="quiet">
              {dateTime(at)}
            </time>
            <Status tone={axisTone(to)}>
              {word('axis', axis)}: {from !== null && `${word(axis, from)} → `}
              {word(axis, to)}
            </Status>
            {cause !== null && <span class="code quiet">{cause}</span>}
          </li>
        ))}
      </ol>
    )}
  </section>
)
