import { useSignal } from '@preact/signals'
import { ApiError, send } from '../core/api.ts'
import { useResource } from '../core/resource.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import type { CaseDetail, Guard, List, Person } from '../core/types-more.ts'
import { dateTime, t } from '../i18n/text.ts'
import { Command, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

interface DecisionFormProps {
  readonly entry: CaseDetail
  /** As it was when the form was begun. */
  readonly seen: CaseDetail
  readonly onSeen: () => void
  readonly reload: () => void
}

/**
 * What comes next in a case. A decision counts by the signature of its author: the form tries the guards, and his passkey
 * signs here; a key of the command line signs there, by the command that is given. What others have decided meanwhile is
 * shown, and nothing is overwritten, neither there nor here.
 */
export function DecisionForm({ entry, seen, onSeen, reload }: DecisionFormProps) {
  const people = useResource<List<Person>>('/people')
  const author = useSignal('')
  const outcome = useSignal<'accepted' | 'dismissed'>('accepted')
  const reason = useSignal('')
  const guards = useSignal<readonly Guard[] | undefined>(undefined)
  const error = useSignal<ApiError | undefined>(undefined)
  const signed = useSignal<number | undefined>(undefined)
  const isCancelled = useSignal(false)
  // By what was looked at: a form that somebody fills in does not go away because somebody else was quicker.
  const isTriage = seen.next?.verb === 'triage'
  const decidedMeanwhile = entry.history.filter(({ index }) => !seen.history.some((each) => each.index === index))
  const isConflict = decidedMeanwhile.length > 0 || entry.severity !== seen.severity

  const signer = people.data?.items.find(({ id }) => id === author.value)
  const canSign = signer?.passkey?.origins.includes(window.location.origin) === true
  const mayAct = guards.value !== undefined && guards.value.every(({ wrong }) => wrong === null) && !isConflict
  const decision = () => ({
    kind: 'case.triage',
    subject: entry.id,
    // Of what was looked at: a severity that has grown meanwhile is no longer the one that is stated.
    detail: {
      case: seen.identity,
      severity: seen.severity,
      outcome: outcome.value,
      reason: reason.value,
    } as unknown as Json,
  })
  /** What is signed is what was checked. */
  const changed = (): void => {
    guards.value = undefined
    isCancelled.value = false
  }
  const sign = async (by: Person): Promise<void> => {
    error.value = undefined
    isCancelled.value = false
    try {
      const { signByPasskey } = await import('../verify/sign-decision.ts')
      signed.value = await signByPasskey(decision(), by)
      onSeen()
    } catch (failure) {
      if (failure instanceof ApiError) error.value = failure
      else isCancelled.value = true
    }
    reload()
  }
  const check = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    error.value = undefined
    guards.value = undefined
    try {
      const answer = await send<{ guards: readonly Guard[] }>('POST', '/decisions/check', {
        ...decision(),
        keyId: signer?.keyId,
      })
      guards.value = answer.guards
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure
      error.value = failure
    }
    reload()
  }
  const command = isTriage
    ? `keepseal case triage ${entry.id} ${outcome.value === 'accepted' ? '--accept' : '--dismiss'} --reason '${reason.value.replaceAll("'", "'\\''")}' --key FILE`
    : `keepseal case ${entry.next?.verb} ${entry.id} --help`
  return (
    <section aria-labelledby="decision">
      <h2 id="decision">{t('case.decide')}</h2>
      {isConflict && (
        <div class="problem" role="alert">
          <p>
            <strong>{t('case.conflict')}</strong>
          </p>
          <ul>
            {decidedMeanwhile.map(({ index, at, name, step }) => (
              <li key={index}>
                {dateTime(at)}: {name}, {step}
              </li>
            ))}
          </ul>
          <button type="button" onClick={() => (onSeen(), reload())}>
            {t('case.seen')}
          </button>
        </div>
      )}
      {isTriage && (
        <form class="form" onSubmit={(event) => void check(event)}>
          <fieldset>
            <legend>{t('case.outcome')}</legend>
            {(['accepted', 'dismissed'] as const).map((each) => (
              <label key={each} class="check">
                <input
                  type="radio"
                  name="outcome"
                  checked={outcome.value === each}
                  onChange={() => ((outcome.value = each), changed())}
                />{' '}
                {t(`case.outcome.${each}`)}
              </label>
            ))}
          </fieldset>
          <label>
            {t('case.reason')}
            <textarea
              rows={3}
              required
              value={reason.value}
              onInput={({ currentTarget }) => ((reason.value = currentTarget.value), changed())}
            />
          </label>
          <label>
            {t('case.author')}
            <select
              required
              value={author.value}
              onChange={({ currentTarget }) => ((author.value = currentTarget.value), changed())}
            >
              <option value="" />
              {people.data?.items
                .filter(({ revokedAt }) => revokedAt === null)
                .map(({ id, name, role }) => (
                  <option key={id} value={id}>
                    {name} ({role})
                  </option>
                ))}
            </select>
          </label>
          <button type="submit">{t('case.check')}</button>
        </form>
      )}
      {error.value !== undefined && <ProblemBox error={error.value} />}
      {guards.value !== undefined && (
        <div role="status">
          <ul class="plain">
            {guards.value.map(({ code, wants, wrong }) => (
              <li key={code}>
                <Status tone={wrong === null ? 'good' : 'bad'}>{wants}</Status>
                {wrong !== null && <p>{wrong}</p>} <span class="code quiet">{code}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {signer !== undefined && canSign && mayAct && (
        <div class="acts">
          <button type="button" class="primary" onClick={() => void sign(signer)}>
            {t('sign.passkey', { name: signer.name })}
          </button>
        </div>
      )}
      {isCancelled.value && (
        <p class="problem" role="alert">
          {t('sign.cancelled')}
        </p>
      )}
      {signed.value !== undefined && (
        <p role="status" data-testid="signed">
          <Status tone="good">{t('sign.done', { n: String(signed.value) })}</Status>
        </p>
      )}
      {!canSign && (
        <>
          <p class="hint">{t('case.sign')}</p>
          <Command text={command} />
        </>
      )}
    </section>
  )
}
