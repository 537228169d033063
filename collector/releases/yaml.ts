import * as v from 'valibot'
import { Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import { KeepsealError } from '../../shared/errors.ts'
import { ReleaseFile } from './document.ts'

/** Repeated parts by anchors, within reason: a few lines can stand for gigabytes. */
const MAX_ALIASES = 100

const ABOUT = `# A release of a product: what its devices are supposed to be.
# The rules are explained in docs/releases.md; check this file with: keepseal release check FILE
`

/** Reads a release file. Throws KeepsealError `release.invalid`, which names line and column of each mistake. */
export function parseReleaseFile(text: string): ReleaseFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const at = (offset: number, what: string): string => {
    const { line, col } = lines.linePos(offset)
    return `line ${line}, column ${col}: ${what}`
  }
  const broken = [...document.errors, ...document.warnings].map(({ pos: [offset], message }) => at(offset, message))
  if (broken.length > 0) refuse(broken)
  let plain: unknown
  try {
    plain = document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    return refuse([error instanceof Error ? error.message : 'it cannot be read'])
  }
  const checked = v.safeParse(ReleaseFile, plain)
  if (checked.success) return checked.output as ReleaseFile
  return refuse(checked.issues.map((issue) => at(offsetOf(document, issue), describe(issue))))
}

function refuse(reasons: readonly string[]): never {
  const told = reasons.slice(0, 8).join('; ')
  throw new KeepsealError('release.invalid', reasons.length > 8 ? `${told}; and ${reasons.length - 8} more` : told)
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? 'the file'
  return isUnknownKey(issue) ? `${path} is not known here` : `${path}: ${issue.message}`
}

const isUnknownKey = ({ type, expected }: v.BaseIssue<unknown>): boolean =>
  type === 'strict_object' && expected === 'never'

/** Where the value that an issue speaks of begins, or the nearest thing around it that is written down. */
function offsetOf({ contents }: Document, issue: v.BaseIssue<unknown>): number {
  let node: unknown = contents
  let offset = isNode(contents) ? (contents.range?.[0] ?? 0) : 0
  for (const { key } of issue.path ?? []) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      if (pair === undefined) return offset
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items)) {
      node = node.items[Number(key)]
      if (isNode(node)) offset = node.range?.[0] ?? offset
    } else return offset
  }
  if (isScalar(node) && !isUnknownKey(issue)) return node.range?.[0] ?? offset
  return offset
}

/** A release file as people edit it: one entry of a list a line, where it fits. */
export function writeReleaseFile(file: ReleaseFile): string {
  const { version, product, name, sections, boot } = file
  const ordered = { version, product, name, sections, ...(boot === undefined ? {} : { boot }) }
  const document = new Document(JSON.parse(JSON.stringify(ordered)) as unknown)
  visit(document, {
    // A package, a listener or a rule stands on one line, as do digests.
    Map: (_, node, path) => {
      if (isSeq(path.at(-1)) && node.items.every(({ value }) => isFlat(value))) node.flow = true
    },
    Seq: (_, node) => {
      if (node.items.every((item) => isScalar(item))) node.flow = true
    },
  })
  return ABOUT + document.toString({ lineWidth: 0 })
}

const isFlat = (value: unknown): boolean =>
  isScalar(value) || (isSeq(value) && value.items.every((item) => isScalar(item)))
