import { html, Html } from '../../api/html.ts'

/** What sections of a report are made of. */

export const nothing = html``

type Cell = string | number | Html

export interface Head {
  readonly title: string
  readonly kind?: 'number' | 'word'
}

/** A table whose head comes again on each page; a sentence where it would have no row. */
export function table(caption: string, heads: readonly Head[], rows: readonly (readonly Cell[])[], none: string): Html {
  if (rows.length === 0) return html`<p class="faint">${none}</p>`
  const classOf = (index: number): string => heads[index]?.kind ?? ''
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${heads.map(({ title }, index) => html`<th scope="col" class="${classOf(index)}">${title}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${row.map((cell, index) => html`<td class="${classOf(index)}">${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`
}

export const facts = (all: readonly (readonly [name: string, value: Cell])[]): Html =>
  html`<dl>
    ${all.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`

export const list = (items: readonly Cell[]): Html =>
  items.length === 0
    ? nothing
    : html`<ul>
        ${items.map((item) => html`<li>${item}</li>`)}
      </ul>`

export const when = (time: string): Html =>
  html`<time datetime="${time}">${time.slice(0, 16).replace('T', ' ')} UTC</time>`
export const day = (time: string | null): Html =>
  time === null ? html`-` : html`<time datetime="${time}">${time.slice(0, 10)}</time>`
export const code = (text: string): Html => html`<code>${text}</code>`

const TONES: Readonly<Record<string, string>> = {
  conforming: 'good',
  met: 'good',
  supported: 'good',
  done: 'good',
  valid: 'good',
  accepted: 'good',
  expiring: 'warn',
  'in-grace': 'warn',
  expired: 'bad',
  'at-risk': 'warn',
  unknown: 'warn',
  partly: 'warn',
  'valid-with-conditions': 'warn',
  suspended: 'bad',
  withdrawn: 'bad',
  drift: 'bad',
  nonconforming: 'bad',
  broken: 'bad',
  gap: 'bad',
  overdue: 'bad',
  critical: 'bad',
  high: 'bad',
}

/** A word of ours, with its colour where it has one. */
export const word = (text: string): Html => html`<span class="${TONES[text] ?? ''}">${text}</span>`
