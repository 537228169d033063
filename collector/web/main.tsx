import { effect } from '@preact/signals'
import { render, type ComponentType } from 'preact'
import { lazy } from './core/lazy.tsx'
import { startLive } from './core/live.ts'
import { language, startPreferences } from './core/preferences.ts'
import { location, match, startRouter } from './core/router.ts'
import { isAsked, isLoginWanted, readSession, session } from './core/session.ts'
import { loadLanguage, t } from './i18n/text.ts'
import { FleetPage } from './pages/fleet.tsx'
import { LoginDialog, LoginPage } from './pages/login.tsx'
import { Page } from './parts/page.tsx'
import { Loading } from './parts/problem.tsx'
import { Shell } from './parts/shell.tsx'

type Parameters = Readonly<Record<string, string>>

/** The first page is there at once; the others are loaded when somebody goes there. */
const ROUTES: readonly (readonly [pattern: string, page: ComponentType<Parameters>])[] = [
  ['/', FleetPage as ComponentType<Parameters>],
  ['/login', FleetPage as ComponentType<Parameters>],
  ['/devices/:ueid', lazy(async () => (await import('./pages/device.tsx')).DevicePage)],
  ['/products', lazy(async () => (await import('./pages/products.tsx')).ProductsPage)],
  ['/products/:id', lazy(async () => (await import('./pages/product.tsx')).ProductPage)],
  ['/products/:id/practices', lazy(async () => (await import('./pages/practices.tsx')).PracticesPage)],
  ['/products/:id/practices/:practice', lazy(async () => (await import('./pages/practice.tsx')).PracticePage)],
  [
    '/products/:id/vulnerabilities',
    lazy(async () => (await import('./pages/vulnerabilities.tsx')).VulnerabilitiesPage),
  ],
  ['/products/:id/advisories/:name', lazy(async () => (await import('./pages/advisory.tsx')).AdvisoryPage)],
  ['/releases/:id', lazy(async () => (await import('./pages/release.tsx')).ReleasePage)],
  ['/certificates', lazy(async () => (await import('./pages/certificates.tsx')).CertificatesPage)],
  ['/certificates/:id', lazy(async () => (await import('./pages/certificate.tsx')).CertificatePage)],
  ['/cases', lazy(async () => (await import('./pages/cases.tsx')).CasesPage)],
  ['/account', lazy(async () => (await import('./pages/account.tsx')).AccountPage)],
  ['/cases/:id', lazy(async () => (await import('./pages/case.tsx')).CasePage)],
]

function NotFound() {
  return (
    <Page title={t('app.notFound')}>
      <p>
        <a href="/">{t('app.toFleet')}</a>
      </p>
    </Page>
  )
}

function Current() {
  const { path } = location.value
  for (const [pattern, Shown] of ROUTES) {
    const parameters = match(pattern, path)
    // Keyed by the path: another device is another page, with nothing left of the one before.
    if (parameters !== undefined) return <Shown key={path} {...parameters} />
  }
  return <NotFound />
}

function App() {
  if (!isAsked.value) return <Loading />
  if (session.value === null) return <LoginPage />
  return (
    <>
      <Shell>
        <Current />
      </Shell>
      {isLoginWanted.value && <LoginDialog />}
    </>
  )
}

startPreferences()
startRouter()
startLive()
effect(() => void (language.value === 'de' && loadLanguage()))
void Promise.all([loadLanguage(), readSession()]).then(() => {
  const root = document.getElementById('app')
  if (root !== null) render(<App />, root)
})
