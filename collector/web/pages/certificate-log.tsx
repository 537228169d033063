import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { fromBase64Url } from '../../../shared/bytes/bytes.ts'
import { ApiError, get } from '../core/api.ts'
import { dateTime, t, word } from '../i18n/text.ts'
import { Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import { logOfCertificate, type CheckedLog, type LoggedDecision } from '../verify/certificate-log.ts'

type Shown =
  | { readonly kind: 'checked'; readonly log: CheckedLog }
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: ApiError }

/** Who decided what on which facts: read from the signed entries, and verified where somebody looks at them. */
export function CertificateLog({ id }: { readonly id: string }) {
  const shown = useSignal<Shown | undefined>(undefined)
  useEffect(() => {
    let isHere = true
    const load = async (): Promise<Shown> => {
      const { file } = await get<{ file: string }>(`/certificates/${encodeURIComponent(id)}/file`)
      try {
        return { kind: 'checked', log: await logOfCertificate(fromBase64Url(file)) }
      } catch (failure) {
        return { kind: 'broken', reason: failure instanceof Error ? failure.message : '' }
      }
    }
    load().then(
      (found) => isHere && (shown.value = found),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error
        if (isHere) shown.value = { kind: 'failed', error }
      },
    )
    return () => {
      isHere = false
    }
  }, [id])
  const { value } = shown
  return (
    <section aria-labelledby="log">
      <h2 id="log">{t('log.title')}</h2>
      <p class="hint">{t('log.hint')}</p>
      {value === undefined && <Loading />}
      {value?.kind === 'failed' && <ProblemBox error={value.error} />}
      {value?.kind === 'broken' && (
        <p class="problem" role="alert">
          <Status tone="bad">{t('log.broken', { reason: value.reason })}</Status>
        </p>
      )}
      {value?.kind === 'checked' && <Entries log={value.log} />}
    </section>
  )
}

const Entries = ({ log: { log, headIndex, decisions } }: { readonly log: CheckedLog }) => (
  <>
    <p data-testid="log-verified">
      <Status tone="good">
        {t('log.verified', { n: decisions.length, log: log.slice(0, 8), head: String(headIndex) })}
      </Status>
    </p>
    <ol class="plain decisions">
      {decisions.toReversed().map((decision) => (
        <Entry key={decision.index} decision={decision} />
      ))}
    </ol>
  </>
)

const linkText = ({ link, index }: LoggedDecision): string =>
  link === 'first' ? t('log.first') : link === 'gap' ? t('log.gap') : t('log.follows', { n: String(index - 1) })

const Entry = ({ decision }: { readonly decision: LoggedDecision }) => (
  <li>
    <p>
      <span class="quiet">{dateTime(new Date(decision.at * 1000).toISOString())}</span>{' '}
      <strong>{decision.title}</strong> <span class="code quiet">{decision.subject}</span>
    </p>
    <p>
      {decision.author.name} ({word('app.role', decision.author.role)},{' '}
      {t(decision.author.isPasskey ? 'log.passkey' : 'log.key')}{' '}
      <span class="code">{decision.author.keyId.slice(0, 16)}</span>)
    </p>
    {decision.reason !== '' && <p>{decision.reason}</p>}
    <details>
      <summary>{t('log.facts')}</summary>
      <dl>
        {decision.facts.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd class="code">{value}</dd>
          </>
        ))}
        <dt>{t('log.link')}</dt>
        <dd>
          {linkText(decision)} <span class="code quiet">{decision.hash}</span>
        </dd>
      </dl>
    </details>
  </li>
)
