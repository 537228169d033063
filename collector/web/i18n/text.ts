import { computed, signal } from '@preact/signals'
import { language } from '../core/preferences.ts'
import { en } from './en.ts'

export type MessageKey = keyof typeof en
export type Messages = Readonly<Record<MessageKey, string>>

const german = signal<Messages | undefined>(undefined)
const germanCodes = signal<Readonly<Record<string, string>>>({})
const germanRemedies = signal<Readonly<Record<string, string>>>({})

/** The other language is loaded when somebody wants it. */
export async function loadLanguage(): Promise<void> {
  if (language.value !== 'de' || german.value !== undefined) return
  const [{ de }, { deCodes, deRemedies }] = await Promise.all([import('./de.ts'), import('./de-codes.ts')])
  germanCodes.value = deCodes
  germanRemedies.value = deRemedies
  german.value = de
}

/** What a code means. The collector sends it in English; a code that is newer than these pages stays so. */
export const codeTitle = (code: string | null, english: string): string =>
  code === null ? english : (inGerman(germanCodes.value, code) ?? english)

/** What to do about an error of this code. */
export const errorRemedy = (code: string, english: string): string => inGerman(germanRemedies.value, code) ?? english

/** What to do about a finding. */
export const findingRemedy = (english: string): string => inGerman(germanRemedies.value, english) ?? english

const inGerman = (texts: Readonly<Record<string, string>>, key: string): string | undefined =>
  language.value === 'de' && Object.hasOwn(texts, key) ? texts[key] : undefined

const messages = computed<Messages>(() => (language.value === 'de' ? (german.value ?? en) : en))

/** A text of the catalogue; `{name}` in it stands for a value. */
export function t(key: MessageKey, values: Readonly<Record<string, string | number>> = {}): string {
  return messages.value[key].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? number(value) : value
  })
}

/** A text for a word of the API; the word itself where the catalogue has none. */
export function word(area: string, value: string | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const key = `${area}.${value}`
  return key in en ? t(key as MessageKey) : value
}

/** Made once for each language: making one takes longer than a hundred uses, and a list has three for each row. */
function formatter<T>(make: (language: string) => T): () => T {
  const made = new Map<string, T>()
  return () => {
    const found = made.get(language.value) ?? make(language.value)
    made.set(language.value, found)
    return found
  }
}

const plural = formatter((locale) => new Intl.PluralRules(locale))
const wholes = formatter((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }))
const tenths = formatter((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }))
const percents = formatter((locale) => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }))
const times = formatter((locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }))
const dates = formatter((locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }))
const spans = formatter((locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))

/** One or many: `key.one` and `key.other`. */
export function count(key: string, n: number, values: Readonly<Record<string, string | number>> = {}): string {
  const form = plural().select(n) === 'one' ? 'one' : 'other'
  return t(`${key}.${form}` as MessageKey, { n, ...values })
}

export const number = (value: number, digits: 0 | 1 = 0): string => (digits === 0 ? wholes : tenths)().format(value)

export const percent = (part: number, whole: number): string => (whole === 0 ? '–' : percents().format(part / whole))

export const dateTime = (at: string): string => times().format(new Date(at))

export const date = (at: string): string => dates().format(new Date(at))

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/** `2 minutes ago`, `in 3 days`. `now`: ms since 1970. */
export function relative(at: string, now: number): string {
  const seconds = Math.round((Date.parse(at) - now) / 1000)
  const [unit, size] = STEPS.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1]
  return spans().format(Math.round(seconds / size), unit)
}
