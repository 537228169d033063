import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { asApiError, logInByPasskey, loginMethods, providerAddress, type LoginMethods } from '../core/other-logins.ts'
import type { ApiError } from '../core/http.ts'
import { readSession } from '../core/session.ts'
import { t } from '../i18n/text.ts'
import { ProblemBox } from '../parts/problem.tsx'

/** Pages that a login can return to: docs/access.md. */
const RETURNABLE = /^\/(?!\/)[\w\-./]{0,199}$/

/** Buttons for the other ways to log in, where there are any. `isOnTop`: of a page that must stay as it is. */
export function OtherLogins({ isOnTop = false }: { readonly isOnTop?: boolean }) {
  const methods = useSignal<LoginMethods | undefined>(undefined)
  const error = useSignal<ApiError | undefined>(undefined)
  const hint = useSignal<string | undefined>(undefined)
  useEffect(() => {
    loginMethods().then(
      (found) => (methods.value = found),
      // Without it there is the form alone, which says by itself when nothing answers.
      () => undefined,
    )
  }, [])
  useEffect(() => {
    if (!isOnTop) return
    // Whoever has logged in at the provider, in another tab, comes back to this one.
    const look = (): void => void readSession()
    addEventListener('focus', look)
    return () => removeEventListener('focus', look)
  }, [isOnTop])

  const attempt = async (act: () => Promise<void>): Promise<void> => {
    error.value = undefined
    hint.value = undefined
    try {
      await act()
    } catch (failure) {
      error.value = asApiError(failure)
    }
  }
  const byPasskey = () =>
    attempt(async () => {
      if (!(await logInByPasskey())) hint.value = t('login.passkeyNone')
    })
  const atProvider = () =>
    attempt(async () => {
      const { pathname } = location
      // Opened at the click: a browser lets no page open a tab by itself later.
      const tab = isOnTop ? window.open('about:blank', '_blank') : null
      // The provider's page has no business with this one.
      if (tab !== null) tab.opener = null
      try {
        const url = await providerAddress(!isOnTop && RETURNABLE.test(pathname) ? pathname : '/')
        if (tab === null) location.assign(url)
        else tab.location.href = url
      } catch (failure) {
        tab?.close()
        throw failure
      }
    })

  if (methods.value === undefined) return null
  const { passkey, oidc } = methods.value
  if (!passkey && oidc === null) return null
  return (
    <div class="login others">
      <p class="hint">{t('login.or')}</p>
      {error.value !== undefined && <ProblemBox error={error.value} />}
      {hint.value !== undefined && <p role="status">{hint.value}</p>}
      {passkey && (
        <button type="button" id="login-passkey" onClick={() => void byPasskey()}>
          {t('login.passkey')}
        </button>
      )}
      {oidc !== null && (
        <button type="button" id="login-provider" onClick={() => void atProvider()}>
          {t('login.provider', { host: new URL(oidc).host })}
        </button>
      )}
    </div>
  )
}
