import { toJsonSchema } from '@valibot/to-json-schema'
import { SECTIONS, type SectionId } from '../../shared/posture/sections.ts'
import type { SchemaComments } from './schema-comments.ts'

/** A field of a section, for people. */
export interface DescribedField {
  /** `listeners[].port` */
  readonly path: string
  readonly type: string
  /** Empty where the field is no quantity with a unit. */
  readonly unit: string
  readonly meaning: string
}

type Json = Readonly<Record<string, unknown>>

/** Every field that has a value of its own, in the order of the schema. */
export function describedFields(id: SectionId, comments: SchemaComments): DescribedField[] {
  return fieldsOf(toJsonSchema(SECTIONS[id].schema, { errorMode: 'ignore' }) as Json, '', comments)
}

function fieldsOf(schema: Json, path: string, comments: SchemaComments): DescribedField[] {
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Json>>)
  const names = properties.map(([name]) => name)
  const required = (schema['required'] ?? []) as readonly string[]
  return properties.flatMap(([name, property]) => {
    const at = path === '' ? name : `${path}.${name}`
    const meaning = typeof property['description'] === 'string' ? property['description'] : comments.of(names, name)
    const type = `${typeOf(property)}${required.includes(name) ? '' : '; may be left out'}`
    return [{ path: at, type, unit: unitOf(name), meaning }, ...nested(property, at, comments)]
  })
}

/** What stands below a field: of an object its fields, of a list those of its entries, of alternatives those of each. */
function nested(schema: Json, path: string, comments: SchemaComments): DescribedField[] {
  const { value, alternatives } = unwrap(schema)
  if (alternatives.length > 0) return alternatives.flatMap((one) => nested(one, path, comments))
  if (value['type'] === 'array') return nested((value['items'] ?? {}) as Json, `${path}[]`, comments)
  return fieldsOf(value, path, comments)
}

/** An observation is the value or the reason why there is none: ../../shared/posture/observation.ts. */
function unwrap(schema: Json): { value: Json; alternatives: readonly Json[]; isObserved: boolean } {
  const alternatives = (schema['anyOf'] ?? schema['oneOf'] ?? []) as readonly Json[]
  const keys = alternatives.map((one) => Object.keys((one['properties'] ?? {}) as object).join())
  if (keys.join(' ') !== 'value missing') return { value: schema, alternatives, isObserved: false }
  const observed = ((alternatives[0]?.['properties'] ?? {}) as Readonly<Record<string, Json>>)['value'] ?? {}
  return { ...unwrap(observed), isObserved: true }
}

function typeOf(schema: Json): string {
  const { value, alternatives, isObserved } = unwrap(schema)
  const type = alternatives.length > 0 ? alternatives.map(typeOf).join(' or ') : plainTypeOf(value)
  return isObserved ? `observed ${type}` : type
}

function plainTypeOf(schema: Json): string {
  const { type, enum: words, const: word, pattern, minimum, maximum, maxLength, maxItems, items } = schema
  if (word !== undefined) return code(word)
  if (Array.isArray(words)) return words.map(code).join(', ')
  switch (type) {
    case 'string':
      return `text${atMost(maxLength)}${pattern === undefined ? '' : `, ${code(pattern)}`}`
    case 'integer':
      return `integer${bounds(minimum, maximum)}`
    case 'array':
      return `list${maxItems === undefined ? '' : ` of up to ${String(maxItems)}`}: ${typeOf((items ?? {}) as Json)}`
    case 'object':
      return 'properties' in schema ? 'fields' : 'map'
    case 'boolean':
      return 'yes or no'
    default:
      return String(type ?? 'anything')
  }
}

const code = (value: unknown): string => `\`${String(value)}\``
const atMost = (length: unknown): string => (length === undefined ? '' : ` of up to ${String(length)} characters`)

function bounds(minimum: unknown, maximum: unknown): string {
  const isBound = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER
  if (isBound(minimum) && isBound(maximum)) return ` from ${String(minimum)} to ${String(maximum)}`
  return isBound(minimum) ? ` from ${String(minimum)}` : ''
}

/** Names of quantities end in their unit. */
const UNITS: Readonly<Record<string, string>> = {
  Seconds: 'seconds',
  Ms: 'milliseconds',
  Minutes: 'minutes',
  Hours: 'hours',
  Days: 'days',
  Bytes: 'bytes',
  Kib: 'KiB',
  Mib: 'MiB',
  Percent: 'percent',
}

function unitOf(name: string): string {
  const suffix = Object.keys(UNITS).find((unit) => name.endsWith(unit))
  return suffix === undefined ? '' : (UNITS[suffix] ?? '')
}
