import { createHash } from 'node:crypto'

/**
 * Renders the few words of Go templates that the chart in deploy/helm uses, and throws for every other. That Go's own
 * engine makes the same of it is what `npm run test:container` shows.
 */

type Scope = Readonly<Record<string, unknown>>

const ACTION = /\{\{(-?)\s*(.*?)\s*(-?)\}\}/gs

function lookUp(path: string, scope: Scope): unknown {
  const [variable = '', ...names] = path.split('.')
  if (!/^\$[a-z]*$/.test(variable)) throw new Error(`template: ${path} is not a variable`)
  let value = scope[variable]
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      throw new Error(`template: there is no ${path}`)
    }
    value = (value as Scope)[name]
  }
  if (value === undefined) throw new Error(`template: there is no ${path}`)
  return value
}

function textOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new Error('template: a list or map where text is wanted')
}

function evaluate(expression: string, scope: Scope): unknown {
  const [path = '', ...steps] = expression.split('|').map((step) => step.trim())
  return steps.reduce(
    (value: unknown, step) => {
      const [, fallback] = /^default (\$\S+)$/.exec(step) ?? []
      if (fallback !== undefined) return value === '' ? lookUp(fallback, scope) : value
      if (step === 'quote') return JSON.stringify(textOf(value))
      if (step === 'toJson') return JSON.stringify(value)
      if (step === 'sha256sum') return createHash('sha256').update(textOf(value)).digest('hex')
      throw new Error(`template: no function ${step}`)
    },
    lookUp(path, scope),
  )
}

const isTrue = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== '' && value !== 0 && value !== false && value !== null

/** Text, and actions between it, with the white space gone that `{{-` and `-}}` take. */
function tokensOf(source: string): readonly { readonly text?: string; readonly action?: string }[] {
  const tokens: { text?: string; action?: string }[] = []
  let end = 0
  let trimmed = false
  const addText = (raw: string, trimEnd: boolean): void => {
    const start = trimmed ? raw.trimStart() : raw
    tokens.push({ text: trimEnd ? start.trimEnd() : start })
  }
  for (const match of source.matchAll(ACTION)) {
    addText(source.slice(end, match.index), match[1] === '-')
    tokens.push({ action: match[2] ?? '' })
    end = match.index + match[0].length
    trimmed = match[3] === '-'
  }
  addText(source.slice(end), false)
  return tokens
}

/** Throws for an action that it does not know, and for a value that is not there. */
export function renderTemplate(source: string, root: Scope): string {
  const tokens = tokensOf(source)
  let position = 0

  /** Up to the `end` that closes it; `shown` is false where everything is only skipped. */
  function block(scope: Scope, shown: boolean, within: 'if' | 'range' | undefined): string {
    let out = ''
    for (;;) {
      const token = tokens[position++]
      if (token === undefined) {
        if (within !== undefined) throw new Error(`template: ${within} without end`)
        return out
      }
      if (token.action === undefined) {
        out += shown ? (token.text ?? '') : ''
        continue
      }
      const { action } = token
      if (action === 'end') {
        if (within === undefined) throw new Error('template: end of nothing')
        return out
      }
      const [, condition] = /^if (\S+)$/.exec(action) ?? []
      const [, key, item, list] = /^range (\$[a-z]+), (\$[a-z]+) := (\S+)$/.exec(action) ?? []
      if (condition !== undefined) out += block(scope, shown && isTrue(lookUp(condition, scope)), 'if')
      else if (key !== undefined && item !== undefined && list !== undefined) out += each(scope, shown, key, item, list)
      else if (shown) out += textOf(evaluate(action, scope))
    }
  }

  function each(scope: Scope, shown: boolean, key: string, item: string, list: string): string {
    const start = position
    const entries = shown ? Object.entries(lookUp(list, scope) as Scope) : []
    let out = ''
    for (const [name, value] of entries) {
      position = start
      out += block({ ...scope, [key]: name, [item]: value }, true, 'range')
    }
    if (entries.length === 0) block(scope, false, 'range')
    return out
  }

  return block({ $: root }, true, undefined)
}
