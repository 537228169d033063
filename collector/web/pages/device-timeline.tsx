import type { Page, Transition } from '../core/types.ts'
import type { DeviceBoot } from '../core/types-face.ts'
import { count, dateTime, t, word } from '../i18n/text.ts'
import { axisTone } from '../model/standing.ts'
import { timelineOf } from '../model/timeline.ts'
import { Loading } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

interface TimelineProps {
  readonly history: Page<Transition> | undefined
  readonly boots: readonly DeviceBoot[]
}

const SHOWN = 40

export const Timeline = ({ history, boots }: TimelineProps) => (
  <section aria-labelledby="timeline">
    <h2 id="timeline">{t('device.timeline')}</h2>
    {history === undefined ? (
      <Loading />
    ) : (
      <ol class="timeline plain">
        {timelineOf(history.items, boots)
          .slice(0, SHOWN)
          .map((entry) =>
            entry.kind === 'boot' ? (
              <li key={entry.boot.bootId} class="boot">
                <Moment at={entry.at} />
                <strong>{t('boots.boot')}</strong> <span class="code quiet">{entry.boot.bootId.slice(0, 8)}</span>
                <span class="quiet">{count('boots.starts', entry.boot.agentStarts)}</span>
              </li>
            ) : (
              <Change key={`${entry.at} ${entry.change.axis} ${entry.change.to}`} change={entry.change} />
            ),
          )}
      </ol>
    )}
  </section>
)

const Moment = ({ at }: { readonly at: string }) => (
  <time dateTime={at} class="quiet">
    {dateTime(at)}
  </time>
)

const Change = ({ change: { at, axis, from, to, cause } }: { readonly change: Transition }) => (
  <li>
    <Moment at={at} />
    <Status tone={axisTone(to)}>
      {word('axis', axis)}: {from !== null && `${word(axis, from)} → `}
      {word(axis, to)}
    </Status>
    {cause !== null && <span class="code quiet">{cause}</span>}
  </li>
)
