import { Document, isScalar, isSeq, visit } from 'yaml'
import { KeepsealError } from '../../shared/errors.ts'
import { mistakesText, readYaml } from '../text/yaml.ts'
import { ReleaseFile } from './document.ts'

const ABOUT = `# A release of a product: what its devices are supposed to be.
# The rules are explained in docs/releases.md; check this file with: keepseal release check FILE
`

/** Reads a release file. Throws KeepsealError `release.invalid`, which names line and column of each mistake. */
export function parseReleaseFile(text: string): ReleaseFile {
  const read = readYaml(text, ReleaseFile)
  if ('mistakes' in read) throw new KeepsealError('release.invalid', mistakesText(read.mistakes))
  return read.value as ReleaseFile
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
