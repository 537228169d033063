import * as v from 'valibot'
import { SECTION_IDS, type SectionId } from '../posture/sections.ts'
import { PACKAGE_NAME } from '../posture/sections/packages.ts'
import { text } from '../posture/text.ts'

/** Protocols whose ports a posture tells one by one. */
export const CONDITION_PROTOCOLS = ['tcp', 'udp', 'sctp'] as const

const packageName = v.pipe(v.string(), v.regex(PACKAGE_NAME, 'the name of a package'))
const known = v.pipe(
  text(512),
  v.minLength(1),
  // What stands in parentheses says why nobody knows: that is no condition that a device could be relied on to meet.
  v.check((value) => !value.startsWith('(') || value === '(absent)', 'a value, not why there is none'),
)

/**
 * What a posture has to say. A section that says nothing, or not all, meets nothing: what is not known is no reason to
 * believe that a device is safe.
 */
export const PostureCondition = v.variant('kind', [
  v.strictObject({ kind: v.literal('package-absent'), package: packageName }),
  v.strictObject({ kind: v.literal('package-present'), package: packageName }),
  /** Nothing holds it, not even for the device alone. */
  v.strictObject({
    kind: v.literal('port-closed'),
    protocol: v.picklist(CONDITION_PROTOCOLS),
    port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  }),
  /** A setting of the kernel, by its name as of sysctl(8). */
  v.strictObject({ kind: v.literal('setting'), name: v.pipe(text(128), v.minLength(1)), value: known }),
  /** Anything else that a section states, as `release diff` and findings name it. */
  v.strictObject({
    kind: v.literal('fact'),
    section: v.picklist(SECTION_IDS as readonly [SectionId, ...SectionId[]]),
    subject: v.pipe(text(1024), v.minLength(1)),
    value: known,
  }),
])
export type PostureCondition = v.InferOutput<typeof PostureCondition>

export const MAX_CONDITIONS = 16
/** All of them have to be met. */
export const PostureConditions = v.pipe(v.array(PostureCondition), v.minLength(1), v.maxLength(MAX_CONDITIONS))

/** One line, which `conditionFrom` reads again. */
export function conditionText(condition: PostureCondition): string {
  switch (condition.kind) {
    case 'port-closed':
      return `port-closed:${condition.protocol}/${condition.port}`
    case 'setting':
      return `setting:${condition.name}=${condition.value}`
    case 'fact':
      return `fact:${condition.section}:${condition.subject}=${condition.value}`
    default:
      return `${condition.kind}:${condition.package}`
  }
}

/** Undefined where it is no condition. Of a fact the subject ends at the last `=` that is there. */
export function conditionFrom(line: string): PostureCondition | undefined {
  const at = line.indexOf(':')
  const [kind, rest] = [line.slice(0, at), line.slice(at + 1)]
  const parsed = v.safeParse(PostureCondition, at < 1 ? undefined : partsOf(kind, rest))
  return parsed.success ? parsed.output : undefined
}

function partsOf(kind: string, rest: string): unknown {
  switch (kind) {
    case 'package-absent':
    case 'package-present':
      return { kind, package: rest }
    case 'port-closed': {
      const [, protocol, port] = /^([a-z]+)\/([0-9]{1,5})$/.exec(rest) ?? []
      return { kind, protocol, port: Number(port) }
    }
    case 'setting': {
      const at = rest.indexOf('=')
      if (at < 0) return undefined
      return { kind, name: rest.slice(0, at), value: rest.slice(at + 1) }
    }
    case 'fact': {
      const [section, at] = [rest.slice(0, rest.indexOf(':')), rest.lastIndexOf('=')]
      if (at < 0) return undefined
      return { kind, section, subject: rest.slice(section.length + 1, at), value: rest.slice(at + 1) }
    }
    default:
      return undefined
  }
}
