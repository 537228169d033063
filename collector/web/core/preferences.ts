import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'
export type Language = 'en' | 'de'

/** Storage may be closed to us: then a choice holds for this page. */
function stored(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

function store(name: string, value: string): void {
  try {
    localStorage.setItem(name, value)
  } catch {
    // It holds for this page.
  }
}

const isTheme = (text: string | null): text is Theme => text === 'system' || text === 'light' || text === 'dark'
const isLanguage = (text: string | null): text is Language => text === 'en' || text === 'de'

const [savedTheme, savedLanguage] = [stored('keepseal-theme'), stored('keepseal-language')]

export const theme = signal<Theme>(isTheme(savedTheme) ? savedTheme : 'system')
export const language = signal<Language>(
  isLanguage(savedLanguage) ? savedLanguage : navigator.language.startsWith('de') ? 'de' : 'en',
)

export function startPreferences(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value
    store('keepseal-theme', theme.value)
  })
  effect(() => {
    document.documentElement.lang = language.value
    store('keepseal-language', language.value)
  })
}
