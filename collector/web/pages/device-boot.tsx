import type { ApiError } from '../core/api.ts'
import type { Boot } from '../core/types.ts'
import { count, t } from '../i18n/text.ts'
import { bootChain, type Link, type StageState } from '../model/boot-chain.ts'
import type { Tone } from '../model/standing.ts'
import { LongTable } from '../parts/long-table.tsx'
import { Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

const TONES: Readonly<Record<StageState, Tone>> = {
  matches: 'good',
  differs: 'bad',
  unapproved: 'quiet',
  unknown: 'quiet',
}

/** The chain as a picture: each link, and whether it is as approved. */
export function BootPicture({
  boot,
  error,
}: {
  readonly boot: Boot | undefined
  readonly error: ApiError | undefined
}) {
  return (
    <section aria-labelledby="boot">
      <h2 id="boot">{t('device.boot')}</h2>
      {boot === undefined ? <NoBoot error={error} /> : <Chain boot={boot} />}
    </section>
  )
}

function NoBoot({ error }: { readonly error: ApiError | undefined }) {
  if (error === undefined) return <Loading />
  return error.problem.type === 'request.not-found' ? <p>{t('device.boot.none')}</p> : <ProblemBox error={error} />
}

function Chain({ boot }: { readonly boot: Boot }) {
  const secure = boot.secureBoot === null ? undefined : String(boot.secureBoot.enabled)
  return (
    <>
      <p class="hint">{t('device.boot.hint')}</p>
      {boot.log !== 'proven' && (
        <p class="note">
          {t(`device.boot.log.${boot.log as 'refused' | 'missing' | 'not-reported'}`)} {boot.logProblem?.detail}
        </p>
      )}
      {boot.differences === null && <p class="note">{t('device.boot.noReference')}</p>}
      <ol class="chain">
        {bootChain(boot).map((link) => (
          <ChainLink key={link.stage} link={link} />
        ))}
      </ol>
      {secure !== undefined && <p>{t(`device.boot.secure.${secure as 'true' | 'false' | 'unknown'}`)}</p>}
      {boot.events.length > 0 && (
        <details>
          <summary>{t('device.boot.events', { n: boot.events.length })}</summary>
          <LongTable
            label={t('device.boot')}
            rows={boot.events}
            columns={['PCR', t('table.name'), t('table.value')]}
            textOf={({ name, description, digest }) => `${name} ${description} ${digest}`}
            cells={({ pcr, name, description, digest }) => [
              pcr,
              name,
              <>
                {description} <span class="code quiet">{digest.slice(0, 16)}…</span>
              </>,
            ]}
          />
        </details>
      )}
    </>
  )
}

const ChainLink = ({ link: { stage, state, events, pcrs, differences } }: { readonly link: Link }) => (
  <li class={TONES[state]}>
    <strong>{t(`part.${stage}`)}</strong>
    <Status tone={TONES[state]}>{t(`part.state.${state}`)}</Status>
    <span class="quiet">
      {[pcrs.length > 0 ? `PCR ${pcrs.join(', ')}` : '', events > 0 ? count('part.events', events) : '']
        .filter((text) => text !== '')
        .join(' · ')}
    </span>
    {differences.map(({ code, subject, before, after }) => (
      <dl key={`${code} ${subject}`} class="difference">
        <dt>{subject}</dt>
        <dd />
        <dt>{t('device.finding.was')}</dt>
        <dd class="code">{before ?? '–'}</dd>
        <dt>{t('device.finding.is')}</dt>
        <dd class="code">{after ?? '–'}</dd>
      </dl>
    ))}
  </li>
)
