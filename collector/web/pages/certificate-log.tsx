import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { fromBase64Url } from '../../../shared/bytes/bytes.ts'
import { ApiError, get } from '../core/api.ts'
import { dateTime, t, word } from '../i18n/text.ts'
import { Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import { logOfCertificate, logOfDraft, type CheckedLog, type LoggedDecision } from '../verify/certificate-log.ts'
import { CertificateDecision } from './certificate-decision.tsx'

type Shown =
  | { readonly kind: 'checked'; readonly log: CheckedLog }
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: ApiError }

interface CertificateLogProps {
  readonly id: string
  /** Before it is, it has no file, and the whole log says what is decided about it. */
  readonly isIssued: boolean
  /** Something was decided here. */
  readonly onDecided: () => void
}

/** Who decided what on which facts: read from the signed entries, and verified where somebody looks at them. */
export function CertificateLog({ id, isIssued, onDecided }: CertificateLogProps) {
  const shown = useSignal<Shown | undefined>(undefined)
  const seen = useSignal<CheckedLog | undefined>(undefined)
  const isHere = useRef(true)
  const read = async (isSeen = false): Promise<CheckedLog | undefined> => {
    const found = await readLog(id, isIssued)
    if (!isHere.current) return undefined
    // In this order: what somebody has decided himself is nothing that he was overtaken by.
    if (found.kind === 'checked' && (isSeen || seen.value === undefined)) seen.value = found.log
    shown.value = found
    return found.kind === 'checked' ? found.log : undefined
  }
  useEffect(() => {
    isHere.current = true
    void read()
    return () => {
      isHere.current = false
    }
  }, [id, isIssued])
  const { value } = shown
  const latest = value?.kind === 'checked' ? value.log : undefined
  return (
    <>
      {latest !== undefined && seen.value?.certificate !== undefined && (
        <CertificateDecision
          certificate={seen.value.certificate}
          seen={seen.value}
          latest={latest}
          read={read}
          onSeen={(now) => (seen.value = now)}
          onDecided={onDecided}
        />
      )}
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
        {latest !== undefined && <Entries log={latest} />}
      </section>
    </>
  )
}

async function readLog(id: string, isIssued: boolean): Promise<Shown> {
  try {
    const checked = isIssued ? await ofFile(id) : await ofWhole(id)
    try {
      return { kind: 'checked', log: await checked() }
    } catch (failure) {
      return { kind: 'broken', reason: failure instanceof Error ? failure.message : '' }
    }
  } catch (error) {
    if (error instanceof ApiError) return { kind: 'failed', error }
    throw error
  }
}

async function ofFile(id: string): Promise<() => Promise<CheckedLog>> {
  const { file } = await get<{ file: string }>(`/certificates/${encodeURIComponent(id)}/file`)
  return () => logOfCertificate(fromBase64Url(file))
}

interface EntriesPage {
  readonly entries: readonly string[]
  readonly nextFrom: number | null
}

async function ofWhole(id: string): Promise<() => Promise<CheckedLog>> {
  const entries: Uint8Array[] = []
  for (let from: number | null = 0; from !== null;) {
    const page: EntriesPage = await get<EntriesPage>(`/decisions?from=${from}`)
    entries.push(...page.entries.map(fromBase64Url))
    from = page.nextFrom
  }
  return () => logOfDraft(entries, id)
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
