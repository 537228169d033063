import { computed, signal } from '@preact/signals'
import { language } from '../core/preferences.ts'
import { en } from './en.ts'

export type MessageKey = keyof typeof en
export type Messages = Readonly<Record<MessageKey, string>>

const german = signal<Messages | undefined>(undefined)
const germanCodes = signal<Readonly<Record<string, string>>>({})

/** The other language is loaded when somebody wants it. */
export async function loadLanguage(): Promise<void> {
  if (language.value !== 'de' || german.value !== undefined) return
  const [{ de }, { deCodes }] = await Promise.all([import('./de.ts'), import('./de-codes.ts')])
  germanCodes.value = deCodes
  german.value = de
}

/** What a code means. The collector sends it in English; a code that is newer than these pages stays so. */
export function codeTitle(code: string | null, english: string): string {
  if (language.value !== 'de' || code === null || !Object.hasOwn(germanCodes.value, code)) return english
  return germanCodes.value[code] ?? english
}

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

/** One or many: `key.one` and `key.other`. */
export function count(key: string, n: number, values: Readonly<Record<string, string | number>> = {}): string {
  const form = new Intl.PluralRules(language.value).select(n) === 'one' ? 'one' : 'other'
  return t(`${key}.${form}` as MessageKey, { n, ...values })
}

export const number = (value: number, digits = 0): string =>
  new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value)

export const percent = (part: number, whole: number): string =>
  whole === 0
    ? '–'
    : new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: 1 }).format(part / whole)

export const dateTime = (at: string): string =>
  new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at))

export const date = (at: string): string =>
  new Intl.DateTimeFormat(language.value, { dateStyle: 'medium' }).format(new Date(at))

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
  return new Intl.RelativeTimeFormat(language.value, { numeric: 'auto' }).format(Math.round(seconds / size), unit)
}
