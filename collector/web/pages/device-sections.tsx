import type { ComponentChildren } from 'preact'
import type { Listener } from '../../../shared/posture/sections/sockets.ts'
import type { Package } from '../../../shared/posture/sections/packages.ts'
import type { Finding, Posture, Section } from '../core/types.ts'
import type { ExplainedListeners } from '../core/types-face.ts'
import { t, type MessageKey } from '../i18n/text.ts'
import { listenerRows, type ListenerRow } from '../model/listeners.ts'
import { linesOf, pendingUpdates, sectionOf } from '../model/sections.ts'
import type { Tone } from '../model/standing.ts'
import { LongTable } from '../parts/long-table.tsx'
import { Loading } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

/** A section, or in words why there is none: an empty list would look good. */
function Content({
  posture,
  id,
  children,
}: {
  posture: Posture | undefined
  id: string
  children: (section: Section) => ComponentChildren
}) {
  if (posture === undefined) return <Loading />
  const section = sectionOf(posture, id)
  if (section === undefined) return <p>{t('device.section.absent')}</p>
  if (section.status !== 'measured') {
    return <p>{t(`device.section.${section.status}` as MessageKey, { reason: section.reason ?? '' })}</p>
  }
  return <>{children(section)}</>
}

const TONES: Readonly<Record<ListenerRow['state'], Tone>> = {
  'not-approved': 'bad',
  gone: 'warn',
  approved: 'good',
  unknown: 'quiet',
}
const WORDS = { 'not-approved': 'notApproved', gone: 'gone', approved: 'approved', unknown: 'unknown' } as const

interface ListenersProps {
  readonly posture: Posture | undefined
  readonly findings: readonly Finding[]
  readonly isCompared: boolean
  readonly rules: ExplainedListeners | undefined
}

const whyOf = ({ state, allowedBy, rule }: ListenerRow): string => {
  if (allowedBy === 'captured') return t('listener.byCapture')
  if (allowedBy === 'rule') return t('listener.byRule', { rule: rule ?? '' })
  if (state === 'unknown' || allowedBy === undefined) return '–'
  return rule === null || rule === undefined ? t('listener.byNothing') : t('listener.againstRule', { rule })
}

export const Listeners = ({ posture, findings, isCompared, rules }: ListenersProps) => (
  <section aria-labelledby="listeners">
    <h2 id="listeners">{t('device.listeners')}</h2>
    <p class="hint">
      {t('device.listeners.hint')} {rules?.release != null && t('listener.release', { name: rules.release.name })}
    </p>
    <Content posture={posture} id="sockets">
      {({ content }) => (
        <LongTable
          label={t('device.listeners')}
          rows={listenerRows((content as { listeners: Listener[] }).listeners, findings, isCompared, rules?.items)}
          columns={[
            t('table.state'),
            t('table.subject'),
            t('table.program'),
            ...(rules?.release == null ? [] : [t('listener.column')]),
          ]}
          textOf={(row) => `${row.subject} ${row.program} ${whyOf(row)}`}
          cells={(row) => [
            <Status tone={TONES[row.state]}>{t(`device.listeners.${WORDS[row.state]}`)}</Status>,
            <span class="code">{row.subject}</span>,
            row.program,
            ...(rules?.release == null ? [] : [whyOf(row)]),
          ]}
        />
      )}
    </Content>
  </section>
)

export function Packages({ posture }: { readonly posture: Posture | undefined }) {
  const updates = pendingUpdates(sectionOf(posture, 'patch-level'))
  return (
    <section aria-labelledby="packages">
      <h2 id="packages">{t('device.packages')}</h2>
      {updates !== undefined && updates.total === 0 && <p>{t('device.packages.noPending')}</p>}
      {updates !== undefined && updates.total > 0 && (
        <details>
          <summary>{t('device.packages.pendingCount', { n: updates.total, security: updates.security })}</summary>
          <LongTable
            label={t('device.packages.pending')}
            rows={updates.pending}
            columns={[t('table.name'), t('table.version'), t('table.candidate')]}
            textOf={({ name }) => name}
            cells={({ name, installed, candidate, security }) => [
              security ? <Status tone="warn">{name}</Status> : name,
              installed,
              candidate,
            ]}
          />
        </details>
      )}
      <Content posture={posture} id="packages">
        {({ content }) => {
          const { packages } = content as { packages: Package[] }
          return (
            <details>
              <summary>
                {t('device.packages')} ({packages.length})
              </summary>
              <LongTable
                label={t('device.packages')}
                rows={packages}
                columns={[t('table.name'), t('table.version')]}
                textOf={({ name, version }) => `${name} ${version}`}
                cells={({ name, version, held }) => [name, held === true ? `${version} (held)` : version]}
              />
            </details>
          )
        }}
      </Content>
    </section>
  )
}

export const UpdateChannel = ({ posture }: { readonly posture: Posture | undefined }) => (
  <section aria-labelledby="channel">
    <h2 id="channel">{t('device.channel')}</h2>
    <Content posture={posture} id="update-channel">
      {({ content }) => (
        <details>
          <summary>{t('app.show')}</summary>
          <LongTable
            label={t('device.channel')}
            rows={linesOf(content)}
            columns={[t('table.name'), t('table.value')]}
            textOf={({ name, value }) => `${name} ${value}`}
            cells={({ name, value }) => [<span class="code">{name}</span>, value]}
          />
        </details>
      )}
    </Content>
  </section>
)
