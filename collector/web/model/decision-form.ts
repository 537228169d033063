import type { Json } from '../../../shared/decisions/json-cbor.ts'
import type { MessageKey } from '../i18n/text.ts'

/** What somebody types before he decides: as data, so that every decision has the same form, and the same signature. */

export type Row = Readonly<Record<string, string>>
/** By the name of the field. */
export type Values = Readonly<Record<string, string | readonly string[] | readonly Row[]>>

export interface Option {
  readonly value: string
  /** Where it is no word of the catalogue. */
  readonly text?: string
}

interface Labelled {
  readonly name: string
  readonly label: MessageKey
  readonly hint?: MessageKey
  readonly isOptional?: boolean
  /** Of the command line, where it is called otherwise. */
  readonly option?: string
}

/** `time`: of a clock on the wall, where the reader is. */
export interface TextField extends Labelled {
  readonly kind: 'line' | 'text' | 'time'
}

export interface ChoiceField extends Labelled {
  readonly kind: 'choice'
  readonly options: readonly Option[]
  /** Of the catalogue: `{area}.{value}`. */
  readonly area?: string
  /** Of the command line, where each choice is an option of its own. */
  readonly asOptions?: Readonly<Record<string, string>>
  /** Of the command line: it stands there without a name. */
  readonly isArgument?: boolean
}

export interface SeveralField extends Labelled {
  readonly kind: 'several'
  readonly options: readonly Option[]
  readonly area?: string
  /** One option with commas, and not one for each. */
  readonly isOneOption?: boolean
}

export interface RowsField extends Labelled {
  readonly kind: 'rows'
  readonly columns: readonly (TextField | ChoiceField)[]
  readonly asOption: (row: Row) => string
}

/** Files by digest: their content stays where it is. Columns: title, digest, dated. */
export interface FilesField extends Labelled {
  readonly kind: 'files'
}

export type Field = TextField | ChoiceField | SeveralField | RowsField | FilesField

/** One kind of decision about something that the page shows. */
export interface DecisionForm<Subject> {
  readonly id: string
  readonly kind: string
  readonly title: MessageKey
  readonly hint?: MessageKey
  /** `keepseal …`, which does the same. */
  readonly command: string
  /** Whether it can come next at all; the guards say the rest. */
  readonly isOffered: (subject: Subject) => boolean
  readonly fields: (subject: Subject) => readonly Field[]
  /** What stands there before anybody types. `now`: ms since 1970. */
  readonly initial?: (subject: Subject, now: number) => Values
  readonly detail: (values: Values, subject: Subject, now: number) => Json
  /** It makes something new: where that is shown. */
  readonly makes?: 'certificate'
}

export const lineOf = (values: Values, name: string): string => {
  const value = values[name]
  return typeof value === 'string' ? value.trim() : ''
}

export const lineOrNull = (values: Values, name: string): string | null => {
  const line = lineOf(values, name)
  return line === '' ? null : line
}

export const severalOf = (values: Values, name: string): readonly string[] =>
  listOf(values, name).filter((each) => typeof each === 'string')

/** Those in which something is typed. */
export const rowsOf = (values: Values, name: string): readonly Row[] =>
  listOf(values, name).filter(
    (row): row is Row => typeof row === 'object' && Object.values(row).some((cell) => cell !== ''),
  )

function listOf(values: Values, name: string): readonly (string | Row)[] {
  const value = values[name]
  return typeof value === 'object' ? value : []
}

/** Seconds since 1970 of a time on the wall; NaN where there is none. */
export const secondsOf = (values: Values, name: string): number => Math.floor(Date.parse(lineOf(values, name)) / 1000)

const two = (value: number): string => String(value).padStart(2, '0')

/** The other way. `at`: ms since 1970. */
export function wallTime(at: number): string {
  const time = new Date(at)
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-')
  return `${day}T${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`
}

/** What still has to be typed: names of fields. A form says it by itself, where its browser does not. */
export function missingIn(fields: readonly Field[], values: Values): readonly string[] {
  return fields
    .filter((field) => {
      if (field.isOptional === true) return false
      if (field.kind === 'several') return severalOf(values, field.name).length === 0
      if (field.kind === 'rows' || field.kind === 'files') return rowsOf(values, field.name).length === 0
      return lineOf(values, field.name) === ''
    })
    .map(({ name }) => name)
}

const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** The command that decides the same: for whoever signs with a key of the command line. */
export function commandOf<S>(form: DecisionForm<S>, id: string, subject: S, values: Values): string {
  const options = form.fields(subject).flatMap((field) => optionsOf(field, values))
  return ['keepseal', form.command, id, ...options, '--key FILE'].join(' ')
}

function optionsOf(field: Field, values: Values): readonly string[] {
  const name = `--${field.option ?? field.name}`
  const given = (texts: readonly string[]): readonly string[] => texts.map((text) => `${name} ${quoted(text)}`)
  switch (field.kind) {
    case 'several': {
      const chosen = severalOf(values, field.name)
      return given(field.isOneOption === true && chosen.length > 0 ? [chosen.join(',')] : chosen)
    }
    case 'rows':
      return given(rowsOf(values, field.name).map(field.asOption))
    case 'files':
      return given(rowsOf(values, field.name).map(({ title = '' }) => title))
    default: {
      const line = lineOf(values, field.name)
      if (field.kind === 'choice' && field.isArgument === true) return [line === '' ? '…' : quoted(line)]
      if (line === '') return field.isOptional === true ? [] : [`${name} …`]
      if (field.kind === 'choice' && field.asOptions !== undefined) return [`--${field.asOptions[line] ?? line}`]
      return given([field.kind === 'time' ? timeText(line) : line])
    }
  }
}

/** As the command line takes it. */
export function timeText(wall: string): string {
  const at = Date.parse(wall)
  return Number.isNaN(at) ? wall : `${new Date(at).toISOString().slice(0, 19)}Z`
}
