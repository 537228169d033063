import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ApiError } from '../core/api.ts'
import { loginMethods } from '../core/other-logins.ts'
import { addPasskey, removePasskey, type Outcome, type Passkey } from '../core/passkeys.ts'
import { useResource } from '../core/resource.ts'
import { session } from '../core/session.ts'
import type { List } from '../core/types-more.ts'
import { date, dateTime, t, word } from '../i18n/text.ts'
import { Page } from '../parts/page.tsx'
import { Loading, ProblemBox } from '../parts/problem.tsx'

/** Who somebody is here, and the passkeys that he logs in with. */
export function AccountPage() {
  const passkeys = useResource<List<Passkey>>('/session/passkeys')
  const isPossible = useSignal<boolean | undefined>(undefined)
  useEffect(() => {
    loginMethods().then(
      ({ passkey }) => (isPossible.value = passkey),
      () => (isPossible.value = false),
    )
  }, [])
  const account = session.value?.account
  return (
    <Page title={t('account.title')}>
      {account !== undefined && (
        <dl>
          <dt>{t('login.name')}</dt>
          <dd>{account.login}</dd>
          <dt>{t('account.name')}</dt>
          <dd>{account.name}</dd>
          <dt>{t('account.role')}</dt>
          <dd>
            {word('app.role', account.role)}
            {account.vendor !== null && `, ${account.vendor}`}
          </dd>
        </dl>
      )}
      <h2 id="passkeys">{t('account.passkeys')}</h2>
      <p class="hint">{t('account.passkeys.hint')}</p>
      {passkeys.error !== undefined && <ProblemBox error={passkeys.error} retry={passkeys.reload} />}
      {passkeys.data === undefined && passkeys.error === undefined && <Loading />}
      {passkeys.data?.items.length === 0 && <p>{t('account.passkeys.none')}</p>}
      <ul class="cards">
        {passkeys.data?.items.map((passkey) => (
          <Held key={passkey.id} passkey={passkey} onRemoved={passkeys.reload} />
        ))}
      </ul>
      <h2>{t('account.add')}</h2>
      {isPossible.value === false && <p>{t('account.impossible')}</p>}
      {isPossible.value === true && <Add onAdded={passkeys.reload} />}
    </Page>
  )
}

interface HeldProps {
  readonly passkey: Passkey
  readonly onRemoved: () => void
}

/** Removed at the second click: nobody gets it back. */
function Held({ passkey: { id, name, host, createdAt, lastUsedAt }, onRemoved }: HeldProps) {
  const isAsked = useSignal(false)
  const error = useSignal<ApiError | undefined>(undefined)
  const removed = async (): Promise<void> => {
    try {
      await removePasskey(id)
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure
      error.value = failure
    }
    onRemoved()
  }
  return (
    <li>
      <p>
        <strong>{name}</strong> <span class="code quiet">{host}</span>
      </p>
      <p class="hint">
        {t('account.added', { at: date(createdAt) })}{' '}
        {lastUsedAt === null ? t('account.unused') : t('account.used', { at: dateTime(lastUsedAt) })}
      </p>
      {!isAsked.value && (
        <button type="button" onClick={() => (isAsked.value = true)}>
          {t('account.remove', { name })}
        </button>
      )}
      {isAsked.value && (
        <div class="note" role="group" aria-label={t('account.remove', { name })}>
          <p>{t('account.remove.hint')}</p>
          <button type="button" class="primary" onClick={() => void removed()} autofocus>
            {t('account.remove', { name })}
          </button>{' '}
          <button type="button" onClick={() => (isAsked.value = false)}>
            {t('device.cancel')}
          </button>
        </div>
      )}
      {error.value !== undefined && <ProblemBox error={error.value} />}
    </li>
  )
}

/** Whoever adds one proves once more who he is: a page that was left open makes no key to the account. */
function Add({ onAdded }: { readonly onAdded: () => void }) {
  const error = useSignal<ApiError | undefined>(undefined)
  const outcome = useSignal<Outcome | undefined>(undefined)
  const isBusy = useSignal(false)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const data = new FormData(form)
    const text = (name: string): string => String(data.get(name) ?? '')
    error.value = undefined
    outcome.value = undefined
    isBusy.value = true
    try {
      const code = text('passkey-code').replace(/\s/g, '')
      outcome.value = await addPasskey({ name: text('passkey-name').trim(), password: text('passkey-password'), code })
      if (outcome.value === 'added') form.reset()
      onAdded()
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure
      error.value = failure
    } finally {
      isBusy.value = false
    }
  }
  return (
    <form class="form" onSubmit={(event) => void submit(event)}>
      <label>
        {t('account.passkeyName')}
        <input name="passkey-name" maxLength={64} required placeholder={t('account.passkeyName.example')} />
      </label>
      <label>
        {t('login.password')}
        <input name="passkey-password" type="password" autocomplete="current-password" required />
      </label>
      <label>
        {t('login.code')}
        <input name="passkey-code" autocomplete="one-time-code" spellcheck={false} required />
      </label>
      {error.value !== undefined && <ProblemBox error={error.value} />}
      {outcome.value === 'added' && (
        <p role="status" data-testid="added">
          {t('account.isAdded')}
        </p>
      )}
      {outcome.value === 'known' && (
        <p class="problem" role="alert">
          {t('account.isKnown')}
        </p>
      )}
      {outcome.value === 'cancelled' && (
        <p class="problem" role="alert">
          {t('account.cancelled')}
        </p>
      )}
      <button type="submit" class="primary" disabled={isBusy.value}>
        {t('account.add')}
      </button>
    </form>
  )
}
