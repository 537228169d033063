import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { ApiError } from '../core/api.ts'
import { logIn } from '../core/session.ts'
import { t } from '../i18n/text.ts'
import { Command, ProblemBox } from '../parts/problem.tsx'
import { Preferences } from '../parts/shell.tsx'
import { OtherLogins } from './login-others.tsx'

function LoginForm({ submitText }: { readonly submitText: string }) {
  const error = useSignal<ApiError | undefined>(undefined)
  const isBusy = useSignal(false)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const data = new FormData(form)
    const text = (name: string): string => String(data.get(name) ?? '')
    isBusy.value = true
    try {
      await logIn({ login: text('login').trim(), password: text('password'), code: text('code').replace(/\s/g, '') })
    } catch (failure) {
      if (failure instanceof ApiError) error.value = failure
      form.querySelector<HTMLInputElement>('[name=code]')?.select()
    } finally {
      isBusy.value = false
    }
  }
  return (
    <form class="login" onSubmit={(event) => void submit(event)}>
      {error.value !== undefined && <ProblemBox error={error.value} />}
      <label>
        {t('login.name')}
        <input name="login" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
      </label>
      <label>
        {t('login.password')}
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      <label>
        {t('login.code')}
        <input name="code" autocomplete="one-time-code" spellcheck={false} required />
      </label>
      <button type="submit" class="primary" disabled={isBusy.value}>
        {submitText}
      </button>
    </form>
  )
}

export function LoginPage() {
  useEffect(() => {
    document.title = `${t('login.title')} · Keepseal`
  }, [])
  return (
    <>
      <main class="alone" id="main">
        <p class="brand">Keepseal</p>
        <h1>{t('login.title')}</h1>
        <LoginForm submitText={t('login.submit')} />
        <OtherLogins />
        <p class="hint">{t('login.noAccount')}</p>
        <Command text="keepseal-collector account create NAME --name 'YOUR NAME' --role operator" />
      </main>
      <footer>
        <Preferences />
      </footer>
    </>
  )
}

/** On top of a page whose session is over; the page stays as it is. */
export function LoginDialog() {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby="login-again" onCancel={(event) => event.preventDefault()}>
      <h2 id="login-again">{t('login.again')}</h2>
      <p>{t('login.againHint')}</p>
      <LoginForm submitText={t('login.submit')} />
      <OtherLogins isOnTop />
    </dialog>
  )
}
