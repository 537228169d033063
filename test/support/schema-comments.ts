import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SECTIONS = fileURLToPath(new URL('../../shared/posture/sections/', import.meta.url))

/** What the comments of a section's source say about the fields of its schema. */
export interface SchemaComments {
  /** About `field` of the object that has just these fields; empty where nothing is said. */
  of(fields: readonly string[], field: string): string
  /** The source itself, for what else stands in it. */
  readonly source: string
}

/** The file of the section and those in the folder beside it. */
export function schemaComments(id: string): SchemaComments {
  const folder = join(SECTIONS, id)
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
  const source = [`${folder}.ts`, ...files].map((file) => readFileSync(file, 'utf8')).join('\n')
  const constants = new Map(
    [...source.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(?:export )?const (\w+)/g)].map(
      ([, comment = '', name = '']) => [name, words(comment)],
    ),
  )
  const objects = new Map(objectsIn(source).map((members) => [keyOf([...members.keys()]), members]))
  return {
    source,
    of(fields, field) {
      const member = objects.get(keyOf(fields))?.get(field)
      if (member === undefined) return ''
      if (member.comment !== '') return words(member.comment)
      const named = [...member.value.matchAll(/\w+/g)].find(([name]) => constants.has(name))
      return named === undefined ? '' : (constants.get(named[0]) ?? '')
    },
  }
}

interface Member {
  readonly comment: string
  readonly value: string
}

const keyOf = (names: readonly string[]): string => [...names].sort().join(' ')

const words = (comment: string): string =>
  comment
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim()

/** The members of each object schema, nested ones too. Comments and strings hold no braces that do not match. */
function objectsIn(source: string): ReadonlyMap<string, Member>[] {
  return [...source.matchAll(/v\.(?:strictObject|object|looseObject)\(\{/g)].map(({ 0: opening, index }) =>
    membersOf(source.slice(index + opening.length)),
  )
}

/** Up to the brace that closes the object. */
function membersOf(text: string): ReadonlyMap<string, Member> {
  const members = new Map<string, Member>()
  const token = /\/\*\*((?:(?!\*\/)[^])*)\*\/|\/\/.*|([\w$]+|'[^']*'):|([({[])|([)}\]])|,/g
  let comment = ''
  let name: string | undefined
  let start = 0
  let depth = 0
  const end = (position: number): void => {
    if (name !== undefined) members.set(name, { comment, value: text.slice(start, position) })
    if (name !== undefined) comment = ''
    name = undefined
  }
  for (const found of text.matchAll(token)) {
    const [whole, documentation, key, opening, closing] = found
    if (opening !== undefined) depth++
    else if (closing !== undefined && --depth < 0) {
      end(found.index)
      return members
    } else if (depth > 0) continue
    else if (documentation !== undefined) comment = documentation
    else if (key !== undefined && name === undefined) {
      name = key.replaceAll("'", '')
      start = found.index + whole.length
    } else if (whole === ',') end(found.index)
  }
  return members
}
