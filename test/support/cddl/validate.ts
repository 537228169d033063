import { PRELUDE } from './match.ts'
import type { Rule, Type } from './parse.ts'

const isInteger = (type: Type): boolean => type.kind === 'literal' && typeof type.value === 'bigint'
const isText = (type: Type): boolean => type.kind === 'literal' && typeof type.value === 'string'

/** Which targets and arguments an operator is implemented for. */
const CONTROLS: Readonly<Record<string, readonly [targets: readonly string[], argument: (type: Type) => boolean]>> = {
  '.size': [['bstr', 'tstr'], (type) => type.kind === 'range' || isInteger(type)],
  '.cbor': [['bstr'], () => true],
  '.regexp': [['tstr'], isText],
  '.le': [['uint', 'int'], isInteger],
  '.ge': [['uint', 'int'], isInteger],
}

/** Throws Error for names that nothing defines, generics with other arguments, and unknown operators. */
export function validateRules(rules: ReadonlyMap<string, Rule>): void {
  for (const { name, parameters, type } of rules.values()) {
    for (const taken of [name, ...parameters]) if (taken in PRELUDE) throw new Error(`CDDL: ${taken} is of the prelude`)
    for (const parameter of parameters) if (rules.has(parameter)) throw new Error(`CDDL: ${parameter} is a rule too`)
    validate(type, rules, parameters)
  }
}

/** The names of the rules that `from` leads to, itself included. */
export function reachableFrom(from: string, rules: ReadonlyMap<string, Rule>): ReadonlySet<string> {
  const reached = new Set<string>()
  const visit = (name: string): void => {
    const rule = rules.get(name)
    if (rule === undefined || reached.has(name)) return
    reached.add(name)
    for (const type of typesIn(rule.type)) if (type.kind === 'name') visit(type.name)
  }
  visit(from)
  return reached
}

function validate(type: Type, rules: ReadonlyMap<string, Rule>, parameters: readonly string[]): void {
  for (const part of typesIn(type)) {
    if (part.kind === 'control') {
      const control = CONTROLS[part.operator]
      if (control === undefined) throw new Error(`CDDL: ${part.operator} is not implemented`)
      const { target } = part
      const fits = target.kind === 'name' && control[0].includes(target.name) && control[1](part.argument)
      if (!fits) throw new Error(`CDDL: ${part.operator} is not implemented for these operands`)
    } else if (part.kind === 'name') {
      const wanted =
        parameters.includes(part.name) || part.name in PRELUDE ? 0 : rules.get(part.name)?.parameters.length
      if (wanted === undefined) throw new Error(`CDDL: ${part.name} is not defined`)
      if (wanted !== part.arguments.length) throw new Error(`CDDL: ${part.name} takes ${wanted} arguments`)
    }
  }
}

function* typesIn(type: Type): Generator<Type> {
  yield type
  for (const part of partsOf(type)) yield* typesIn(part)
}

function partsOf(type: Type): readonly Type[] {
  switch (type.kind) {
    case 'choice':
      return type.of
    case 'name':
      return type.arguments
    case 'control':
      return [type.target, type.argument]
    case 'tag':
      return [type.content]
    case 'array':
    case 'map':
      return type.entries.flatMap(({ key, value }) => (key === undefined ? [value] : [key, value]))
    default:
      return []
  }
}
