import type { ComponentChildren } from 'preact'
import { connection } from '../core/live.ts'
import { language, theme, type Language, type Theme } from '../core/preferences.ts'
import { location } from '../core/router.ts'
import { logOut, session } from '../core/session.ts'
import { t, word } from '../i18n/text.ts'
import { Status } from './status.tsx'

const PAGES = [
  { href: '/', key: 'nav.fleet', begins: ['/devices'] },
  { href: '/products', key: 'nav.products', begins: ['/products', '/releases'] },
  { href: '/certificates', key: 'nav.certificates', begins: ['/certificates'] },
  { href: '/cases', key: 'nav.cases', begins: ['/cases'] },
] as const

const isHere = ({ href, begins }: (typeof PAGES)[number]): boolean => {
  const { path } = location.value
  return path === href || begins.some((each) => path === each || path.startsWith(`${each}/`))
}

export function Shell({ children }: { readonly children: ComponentChildren }) {
  const account = session.value?.account
  return (
    <>
      <a class="skip" href="#main">
        {t('app.skip')}
      </a>
      <header class="top">
        <a class="brand" href="/">
          Keepseal
        </a>
        <nav aria-label={t('app.menu')}>
          {PAGES.map((page) => (
            <a key={page.href} href={page.href} {...(isHere(page) && { 'aria-current': 'page' as const })}>
              {t(page.key)}
            </a>
          ))}
        </nav>
        <span class="live" role="status" title={t('app.live.hint')}>
          <Status tone={connection.value === 'connected' ? 'good' : 'warn'}>{t(`app.live.${connection.value}`)}</Status>
        </span>
      </header>
      <main id="main">{children}</main>
      <footer>
        {account !== undefined && (
          <span>
            <a href="/account">{account.name}</a> · {word('app.role', account.role)}
            {account.vendor !== null && ` · ${account.vendor}`}{' '}
            <button type="button" class="link" onClick={() => void logOut()}>
              {t('app.logout')}
            </button>
          </span>
        )}
        <Preferences />
      </footer>
    </>
  )
}

export const Preferences = () => (
  <span class="preferences">
    <label>
      {t('app.theme')}{' '}
      <select value={theme.value} onChange={({ currentTarget }) => (theme.value = currentTarget.value as Theme)}>
        {(['system', 'light', 'dark'] as const).map((each) => (
          <option key={each} value={each}>
            {t(`app.theme.${each}`)}
          </option>
        ))}
      </select>
    </label>
    <label>
      {t('app.language')}{' '}
      <select
        value={language.value}
        onChange={({ currentTarget }) => (language.value = currentTarget.value as Language)}
      >
        <option value="en">English</option>
        <option value="de">Deutsch</option>
      </select>
    </label>
  </span>
)
