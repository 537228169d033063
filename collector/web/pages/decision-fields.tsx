import type { ComponentChildren } from 'preact'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { practiceName } from '../i18n/practice.ts'
import { t, word } from '../i18n/text.ts'
import {
  lineOf,
  severalOf,
  type ChoiceField,
  type Field,
  type FilesField,
  type Option,
  type Row,
  type RowsField,
  type SeveralField,
  type TextField,
  type Values,
} from '../model/decision-form.ts'

type Value = Values[string]

interface FieldsProps {
  readonly fields: readonly Field[]
  readonly values: Values
  readonly set: (name: string, value: Value) => void
}

/** What a decision asks for, one after the other. */
export const DecisionFields = ({ fields, values, set }: FieldsProps) => (
  <>
    {fields.map((field) => {
      const own = { values, set: (value: Value) => set(field.name, value) }
      switch (field.kind) {
        case 'choice':
          return <Choice key={field.name} field={field} name={field.name} {...own} />
        case 'several':
          return <Several key={field.name} field={field} {...own} />
        case 'rows':
          return <Rows key={field.name} field={field} {...own} />
        case 'files':
          return <Files key={field.name} field={field} {...own} />
        default:
          return <Text key={field.name} field={field} name={field.name} {...own} />
      }
    })}
  </>
)

interface OwnProps<F extends Field> {
  readonly field: F
  readonly values: Values
  readonly set: (value: Value) => void
}
/** `name`: within the form, where a row has several of them. */
type NamedProps<F extends Field> = OwnProps<F> & { readonly name: string }

const Label = ({ field }: { readonly field: Field }) => (
  <>
    {t(field.label)}
    {field.isOptional === true && <span class="quiet"> ({t('form.optional')})</span>}
  </>
)

const Hint = ({ field }: { readonly field: Field }) =>
  field.hint === undefined ? null : <span class="hint">{t(field.hint)}</span>

function Text({ field, name, values, set }: NamedProps<TextField>) {
  const value = values[field.name]
  const shared = {
    name,
    required: field.isOptional !== true,
    value: typeof value === 'string' ? value : '',
    onInput: ({ currentTarget }: { readonly currentTarget: { readonly value: string } }) => set(currentTarget.value),
  }
  return (
    <label>
      <span>
        <Label field={field} />
      </span>
      <Hint field={field} />
      {field.kind === 'text' && <textarea rows={3} {...shared} />}
      {field.kind === 'line' && <input {...shared} />}
      {field.kind === 'time' && <input type="datetime-local" step={1} {...shared} />}
    </label>
  )
}

function textOf({ area }: ChoiceField | SeveralField, { value, text }: Option): string {
  if (text !== undefined || area === undefined) return text ?? value
  return area === 'practice' ? practiceName(value) : word(area, value)
}

const FEW = 5

function Choice({ field, name, values, set }: NamedProps<ChoiceField>) {
  const chosen = lineOf(values, field.name)
  const isRequired = field.isOptional !== true
  if (field.options.length <= FEW && isRequired) {
    return (
      <fieldset>
        <legend>{t(field.label)}</legend>
        {field.options.map((option) => (
          <label key={option.value} class="check">
            <input
              type="radio"
              name={name}
              value={option.value}
              required
              checked={chosen === option.value}
              onChange={() => set(option.value)}
            />{' '}
            {textOf(field, option)}
          </label>
        ))}
      </fieldset>
    )
  }
  return (
    <label>
      <span>
        <Label field={field} />
      </span>
      <select
        name={name}
        required={isRequired}
        value={chosen}
        onChange={({ currentTarget }) => set(currentTarget.value)}
      >
        <option value="" />
        {field.options.map((option) => (
          <option key={option.value} value={option.value}>
            {textOf(field, option)}
          </option>
        ))}
      </select>
    </label>
  )
}

function Several({ field, values, set }: OwnProps<SeveralField>) {
  const chosen = severalOf(values, field.name)
  const others = (value: string): readonly string[] => chosen.filter((each) => each !== value)
  return (
    <fieldset>
      <legend>
        <Label field={field} />
      </legend>
      <Hint field={field} />
      <div class="checks">
        {field.options.map((option) => (
          <label key={option.value} class="check">
            <input
              type="checkbox"
              name={field.name}
              value={option.value}
              checked={chosen.includes(option.value)}
              onChange={({ currentTarget: { checked } }) =>
                set(checked ? [...others(option.value), option.value] : others(option.value))
              }
            />{' '}
            {textOf(field, option)}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

const rowsIn = (values: Values, name: string): readonly Row[] => {
  const value = values[name]
  return typeof value === 'object' ? (value as readonly Row[]) : []
}

function Rows({ field, values, set }: OwnProps<RowsField>) {
  const typed = rowsIn(values, field.name)
  const rows = typed.length === 0 && field.isOptional !== true ? [{}] : typed
  const put = (index: number, column: string, value: Value): void =>
    set(rows.map((row, place) => (place === index ? { ...row, [column]: String(value) } : row)))
  return (
    <fieldset>
      <legend>
        <Label field={field} />
      </legend>
      {rows.map((row, index) => (
        <div class="row-of-form" key={index}>
          {field.columns.map((column): ComponentChildren => {
            const own = {
              name: `${field.name}.${index}.${column.name}`,
              values: row,
              set: (value: Value) => put(index, column.name, value),
            }
            return column.kind === 'choice' ? (
              <Choice key={column.name} field={column} {...own} />
            ) : (
              <Text key={column.name} field={column} {...own} />
            )
          })}
          {(rows.length > 1 || field.isOptional === true) && (
            <button type="button" class="link" onClick={() => set(rows.filter((_, place) => place !== index))}>
              {t('form.remove')}
            </button>
          )}
        </div>
      ))}
      <button type="button" onClick={() => set([...rows, {}])} data-testid={`add-${field.name}`}>
        {t('form.add')}
      </button>
    </fieldset>
  )
}

/** Files stay where they are: what is signed is the digest of each. */
async function documentOf(file: File): Promise<Row> {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
  const dated = String(Math.floor(file.lastModified / 1000))
  return { title: file.name, digest: toHex(new Uint8Array(digest)), dated }
}

function Files({ field, values, set }: OwnProps<FilesField>) {
  const read = async (files: FileList | null): Promise<void> =>
    set(await Promise.all([...(files ?? [])].map(documentOf)))
  return (
    <div>
      <label>
        <span>
          <Label field={field} />
        </span>
        <span class="hint">{t('form.files.hint')}</span>
        <input type="file" name={field.name} multiple onChange={({ currentTarget: { files } }) => void read(files)} />
      </label>
      <ul class="plain">
        {rowsIn(values, field.name).map(({ title, digest }) => (
          <li key={digest}>
            {title} <span class="code quiet">{digest}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
