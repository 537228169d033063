import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { count, t } from '../i18n/text.ts'

interface LongTableProps<T> {
  readonly label: string
  readonly rows: readonly T[]
  readonly columns: readonly string[]
  readonly cells: (row: T) => readonly ComponentChildren[]
  /** What a row is filtered by. */
  readonly textOf: (row: T) => string
}

const STEP = 100

/** A table of thousands of rows of which a hundred are shown; the others by asking, or by filtering. */
export function LongTable<T>({ label, rows, columns, cells, textOf }: LongTableProps<T>) {
  const shown = useSignal(STEP)
  const filter = useSignal('')
  const wanted = filter.value.toLowerCase()
  const found = wanted === '' ? rows : rows.filter((row) => textOf(row).toLowerCase().includes(wanted))
  return (
    <>
      {rows.length > STEP && (
        <p>
          <label>
            {t('device.filter')}{' '}
            <input
              type="search"
              value={filter.value}
              onInput={({ currentTarget }) => (filter.value = currentTarget.value)}
            />
          </label>{' '}
          <span class="quiet" role="status">
            {count('list.rows', found.length)}
          </span>
        </p>
      )}
      <div class="table" tabIndex={0} role="region" aria-label={label}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.slice(0, shown.value).map((row, index) => (
              <tr key={index}>
                {cells(row).map((cell, column) => (
                  <td key={column}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.length > shown.value && (
        <button type="button" onClick={() => (shown.value += 5 * STEP)}>
          {t('app.more')} ({shown.value} / {found.length})
        </button>
      )}
    </>
  )
}
