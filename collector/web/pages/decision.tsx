import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { ApiError, get, send } from '../core/api.ts'
import { useResource } from '../core/resource.ts'
import type { Guard, List, Person } from '../core/types-more.ts'
import { t } from '../i18n/text.ts'
import { commandOf, missingIn, type DecisionForm, type Values } from '../model/decision-form.ts'
import { Command, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import type { Decided, Place } from '../verify/sign-decision.ts'
import { DecisionFields } from './decision-fields.tsx'

interface DecisionProps<Subject> {
  /** Those that can come next, the likeliest first. */
  readonly forms: readonly DecisionForm<Subject>[]
  /** As it was when somebody began to look at it. */
  readonly subject: Subject
  readonly id: string
  /** For something that a decision makes. */
  readonly newId: () => string
  /** What others have decided meanwhile, one item each. */
  readonly meanwhile: readonly ComponentChildren[]
  readonly isConflict: boolean
  readonly onSeen: () => void
  /** Reads anew; says whether everything is still as it was looked at. */
  readonly look: () => Promise<boolean>
  /** Reads anew, and takes what is there then for looked at. */
  readonly onSigned: () => Promise<void>
}

interface Checked {
  readonly decision: Decided
  readonly guards: readonly Guard[]
}

/**
 * What can be decided next. A decision counts by the signature of its author: the form tries the guards, and his passkey
 * signs here exactly what was tried; a key of the command line signs there, by the command that is given. What others
 * have decided meanwhile is shown, and nothing is overwritten, neither there nor here. What was typed stays, whatever
 * comes in between.
 */
export function Decision<Subject>(props: DecisionProps<Subject>) {
  const { forms, subject, id, isConflict, look, onSeen, onSigned } = props
  const people = useResource<List<Person>>('/people')
  const author = useSignal('')
  const wanted = useSignal('')
  const typed = useSignal<Values>({})
  const checked = useSignal<Checked | undefined>(undefined)
  const missing = useSignal<readonly string[]>([])
  const error = useSignal<ApiError | undefined>(undefined)
  const signed = useSignal<{ readonly index: number; readonly made: string | null } | undefined>(undefined)
  const isCancelled = useSignal(false)

  const begunAt = useRef(Date.now())

  const form = forms.find((each) => each.id === wanted.value) ?? forms[0]
  const values: Values = { ...form?.initial?.(subject, begunAt.current), ...typed.value }
  const signer = people.data?.items.find((each) => each.id === author.value)
  const canSign = signer?.passkey?.origins.includes(window.location.origin) === true
  const mayAct = checked.value?.guards.every(({ wrong }) => wrong === null) === true && !isConflict

  /** What is signed is what was checked. */
  const changed = (): void => {
    checked.value = undefined
    isCancelled.value = false
    signed.value = undefined
  }
  const failed = (failure: unknown): void => {
    if (!(failure instanceof ApiError)) throw failure
    error.value = failure
  }
  const check = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    error.value = undefined
    changed()
    if (form === undefined) return
    missing.value = missingIn(form.fields(subject), values)
    if (missing.value.length > 0) return
    try {
      const about = form.makes === undefined ? id : props.newId()
      const decision = { kind: form.kind, subject: about, detail: form.detail(values, subject, Date.now()) }
      const tried = await send<{ guards: readonly Guard[] }>('POST', '/decisions/check', {
        ...decision,
        keyId: signer?.keyId,
      })
      await look()
      checked.value = { decision, guards: tried.guards }
    } catch (failure) {
      failed(failure)
    }
  }
  const sign = async (by: Person, { decision }: Checked): Promise<void> => {
    error.value = undefined
    isCancelled.value = false
    try {
      // In this order: what is decided after the place was asked for takes it away.
      const place = await get<Place>('/decisions/next')
      if (!(await look())) return
      const { signByPasskey } = await import('../verify/sign-decision.ts')
      const index = await signByPasskey(decision, place, by)
      if (index === null) {
        isCancelled.value = true
        return
      }
      typed.value = {}
      changed()
      signed.value = { index, made: decision.subject === id ? null : decision.subject }
      await onSigned()
    } catch (failure) {
      failed(failure)
      await look()
    }
  }
  if (form === undefined && signed.value === undefined) return null
  return (
    <section aria-labelledby="decision">
      <h2 id="decision">{t('case.decide')}</h2>
      {isConflict && (
        <div class="problem" role="alert">
          <p>
            <strong>{t('decide.conflict')}</strong>
          </p>
          <ul>
            {props.meanwhile.map((each, place) => (
              <li key={place}>{each}</li>
            ))}
          </ul>
          <button type="button" onClick={() => (changed(), onSeen())}>
            {t('case.seen')}
          </button>
        </div>
      )}
      {form !== undefined && (
        <form class="form" onSubmit={(event) => void check(event)}>
          {forms.length > 1 && (
            <label>
              {t('decide.which')}
              <select
                name="decision"
                value={form.id}
                onChange={({ currentTarget }) => ((wanted.value = currentTarget.value), changed())}
              >
                {forms.map((each) => (
                  <option key={each.id} value={each.id}>
                    {t(each.title)}
                  </option>
                ))}
              </select>
            </label>
          )}
          {forms.length === 1 && <h3>{t(form.title)}</h3>}
          {form.hint !== undefined && <p class="hint">{t(form.hint)}</p>}
          <DecisionFields
            fields={form.fields(subject)}
            values={values}
            set={(name, value) => {
              typed.value = { ...typed.value, [name]: value }
              changed()
            }}
          />
          <label>
            {t('case.author')}
            <select
              name="author"
              required
              value={author.value}
              onChange={({ currentTarget }) => ((author.value = currentTarget.value), changed())}
            >
              <option value="" />
              {people.data?.items
                .filter(({ revokedAt }) => revokedAt === null)
                .map(({ id: person, name, role }) => (
                  <option key={person} value={person}>
                    {name} ({role})
                  </option>
                ))}
            </select>
          </label>
          {missing.value.length > 0 && (
            <p class="problem" role="alert">
              {t('form.missing')}{' '}
              {form
                .fields(subject)
                .filter(({ name }) => missing.value.includes(name))
                .map(({ label }) => t(label))
                .join(', ')}
            </p>
          )}
          <button type="submit">{t('case.check')}</button>
        </form>
      )}
      {error.value !== undefined && <ProblemBox error={error.value} />}
      {checked.value !== undefined && <Guards guards={checked.value.guards} />}
      {signer !== undefined && canSign && mayAct && checked.value !== undefined && (
        <Sign text={t('sign.passkey', { name: signer.name })} onClick={sign.bind(null, signer, checked.value)} />
      )}
      {isCancelled.value && (
        <p class="problem" role="alert">
          {t('sign.cancelled')}
        </p>
      )}
      {signed.value !== undefined && (
        <p role="status" data-testid="signed">
          <Status tone="good">{t('sign.done', { n: String(signed.value.index) })}</Status>{' '}
          {signed.value.made !== null && <a href={`/certificates/${signed.value.made}`}>{signed.value.made}</a>}
        </p>
      )}
      {!canSign && form !== undefined && (
        <>
          <p class="hint">{t('case.sign')}</p>
          <Command text={commandOf(form, id, subject, values)} />
        </>
      )}
    </section>
  )
}

const Guards = ({ guards }: { readonly guards: readonly Guard[] }) => (
  <div role="status">
    <ul class="plain">
      {guards.map(({ code, wants, wrong }, place) => (
        <li key={place}>
          <Status tone={wrong === null ? 'good' : 'bad'}>{wants}</Status>
          {wrong !== null && <p>{wrong}</p>} <span class="code quiet">{code}</span>
        </li>
      ))}
    </ul>
  </div>
)

/** One click signs once. */
function Sign({ text, onClick }: { readonly text: string; readonly onClick: () => Promise<void> }) {
  const isBusy = useSignal(false)
  const run = async (): Promise<void> => {
    isBusy.value = true
    try {
      await onClick()
    } finally {
      isBusy.value = false
    }
  }
  return (
    <div class="acts">
      <button type="button" class="primary" disabled={isBusy.value} onClick={() => void run()}>
        {text}
      </button>
    </div>
  )
}
