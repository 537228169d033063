import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ApiError, send } from '../core/api.ts'
import { useResource } from '../core/resource.ts'
import { role } from '../core/session.ts'
import type { DeviceDetail, Page } from '../core/types.ts'
import type { Challenge } from '../core/types-face.ts'
import { dateTime, t, word } from '../i18n/text.ts'
import { axisTone, type Tone } from '../model/standing.ts'
import { ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

const LOOK_MS = 2_000
/** An answer takes seconds where there is a connection. A page that is left open does not look for ever. */
const LOOKS = 60

const toneOf = ({ status, answer }: Challenge): Tone =>
  answer !== null ? (answer.fresh ? axisTone(answer.verdict) : 'warn') : status === 'waiting' ? 'quiet' : 'warn'

function textOf({ status, askedAt, sentAt, answer }: Challenge): string {
  if (answer !== null) return t(answer.fresh ? 'ask.answered' : 'ask.late', { at: dateTime(answer.at) })
  const key = status === 'waiting' && sentAt === null ? 'unsent' : status
  return t(`ask.${key as 'waiting'}`, { at: dateTime(askedAt) })
}

/** Evidence of now, on demand; what came of the last question is there for everybody. */
export function AttestNow({ device, reload }: { readonly device: DeviceDetail; readonly reload: () => void }) {
  const path = `/devices/${device.ueid}/challenges`
  const newest = useResource<Page<Challenge>>(
    `${path}?limit=1`,
    (ueids) => ueids === 'all' || ueids.includes(device.ueid),
  )
  const isAsking = useSignal(false)
  const error = useSignal<ApiError | undefined>(undefined)
  const challenge = newest.data?.items[0]
  const isWaiting = challenge?.status === 'waiting'
  const waitsFor = isWaiting ? challenge.id : null

  useEffect(() => {
    // What was refused before is no news beside what came of it.
    error.value = undefined
    if (waitsFor === null) return undefined
    let looks = 0
    const timer = window.setInterval(() => {
      looks += 1
      if (looks > LOOKS) window.clearInterval(timer)
      else newest.look()
    }, LOOK_MS)
    return () => {
      window.clearInterval(timer)
      reload()
    }
  }, [waitsFor])

  const ask = async (): Promise<void> => {
    isAsking.value = true
    error.value = undefined
    try {
      await send<Challenge>('POST', path, {})
      newest.reload()
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure
      error.value = failure
    } finally {
      isAsking.value = false
    }
  }
  const mayAsk = (role.value === 'vendor' || role.value === 'operator') && device.enrolment !== 'revoked'
  return (
    <section aria-labelledby="attest" class="attest">
      <h2 id="attest">{t('ask.title')}</h2>
      <div role="status" aria-live="polite" data-testid="asked">
        {challenge === undefined ? (
          newest.data !== undefined && <p>{t('ask.never')}</p>
        ) : (
          <>
            <p>
              <Status tone={toneOf(challenge)}>{textOf(challenge)}</Status>
            </p>
            {challenge.answer !== null && (
              <p>
                {word('verdict', challenge.answer.verdict)}
                {challenge.answer.code !== null && <span class="code quiet"> {challenge.answer.code}</span>}
                <br />
                <span class="hint">{t('ask.evidence')}</span> <span class="code">{challenge.answer.evidenceHash}</span>
              </p>
            )}
            {isWaiting && <p class="hint">{t('ask.until', { at: dateTime(challenge.expiresAt) })}</p>}
          </>
        )}
      </div>
      {newest.error !== undefined && <ProblemBox error={newest.error} retry={newest.reload} />}
      {error.value !== undefined && <ProblemBox error={error.value} />}
      {mayAsk && (
        <div class="acts">
          <button type="button" disabled={isAsking.value} onClick={() => void ask()}>
            {t(isWaiting ? 'ask.again' : 'ask.button')}
          </button>
        </div>
      )}
      <p class="hint">{t('ask.hint')}</p>
    </section>
  )
}
