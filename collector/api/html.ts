/** HTML that is safe to send: made by `html` alone, whose inserted texts are escaped. */
export class Html {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  /** `parts` are literal markup; values between them are escaped unless they are Html themselves. */
  static of(parts: readonly string[], values: readonly Insertable[]): Html {
    return new Html(parts.map((part, index) => part + (index < values.length ? render(values[index]) : '')).join(''))
  }

  toString(): string {
    return this.#text
  }
}

type Insertable = string | number | Html | readonly Html[]

/** A template tag. */
export const html = (parts: TemplateStringsArray, ...values: readonly Insertable[]): Html => Html.of(parts, values)

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function render(value: Insertable | undefined): string {
  if (value === undefined) return ''
  if (value instanceof Html) return value.toString()
  if (typeof value === 'object') return value.map(render).join('')
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
