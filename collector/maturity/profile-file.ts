import { Document, isScalar, visit } from 'yaml'
import { hash } from '../../shared/crypto/node.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Catalogue } from '../../shared/maturity/catalogue/schema.ts'
import { problemsOf, unexplainedDeviations } from '../../shared/maturity/problems.ts'
import { ProfileDocument, type ProfileReference } from '../../shared/maturity/profile.ts'
import { digestOfProfile, MAX_PROFILE_BYTES } from '../../shared/maturity/profile-encoding.ts'
import { mistakesText, readYaml, type Mistake } from '../text/yaml.ts'

const ABOUT = `# A security maturity profile: what a product guarantees, and within which limits.
# docs/profiles.md explains it; check this file with: keepseal profile lint FILE
`

export interface LintedProfile {
  /** Undefined where the file cannot be read as a profile. */
  readonly document: ProfileDocument | undefined
  readonly mistakes: readonly Mistake[]
}

/**
 * Reads a profile as a person writes it, YAML or JSON, and finds all that is wrong with it. `templates`: other files, of
 * which one has to be the template that this one names, where there are any.
 */
export function lintProfile(
  text: string,
  catalogue: Catalogue,
  templates: readonly ProfileDocument[] = [],
): LintedProfile {
  if (text.length > MAX_PROFILE_BYTES) {
    const message = `a profile has at most ${MAX_PROFILE_BYTES} characters`
    return { document: undefined, mistakes: [{ line: null, column: null, message }] }
  }
  const read = readYaml(text, ProfileDocument)
  if ('mistakes' in read) return { document: undefined, mistakes: read.mistakes }
  const { value: document, locate } = read
  const problems = [...problemsOf(document, catalogue), ...templateProblems(document, templates)]
  return { document, mistakes: problems.map(locate) }
}

function templateProblems(
  document: ProfileDocument,
  templates: readonly ProfileDocument[],
): ReturnType<typeof problemsOf> {
  const { basedOn } = document
  if (basedOn === null || templates.length === 0) return []
  const circle = circleOf(document, templates)
  if (circle !== undefined) return [{ path: ['basedOn'], message: `it goes in a circle: ${circle.join(' -> ')}` }]
  const template = templates.find(({ id, version }) => id === basedOn.id && version === basedOn.version)
  if (template === undefined) {
    return [{ path: ['basedOn'], message: `none of the templates given is ${basedOn.id} ${basedOn.version}` }]
  }
  const digest = digestOfProfile(template, hash)
  if (digest !== basedOn.digest) return [{ path: ['basedOn', 'digest'], message: `the template has ${digest}` }]
  return unexplainedDeviations(document, template)
}

/** The ids on a way from a profile over its templates back to itself; undefined where there is none. */
function circleOf(document: ProfileDocument, templates: readonly ProfileDocument[]): readonly string[] | undefined {
  const ids = [document.id]
  let next: ProfileReference | null = document.basedOn
  while (next !== null) {
    const { id, version } = next
    if (ids.includes(id)) return [...ids, id]
    ids.push(id)
    next = templates.find((each) => each.id === id && each.version === version)?.basedOn ?? null
  }
  return undefined
}

/** Throws KeepsealError `profile.invalid` with every mistake and its place. */
export function parseProfile(text: string, catalogue: Catalogue): ProfileDocument {
  const { document, mistakes } = lintProfile(text, catalogue)
  if (document === undefined || mistakes.length > 0) throw new KeepsealError('profile.invalid', mistakesText(mistakes))
  return document
}

/** A profile as people edit it. */
export function writeProfile(document: ProfileDocument): string {
  const yaml = new Document(JSON.parse(JSON.stringify(document)) as unknown)
  visit(yaml, {
    // What is short stands on one line.
    Map: (_, node) => {
      if (node.items.length <= 3 && node.items.every(({ value }) => isScalar(value) && String(value.value).length < 20))
        node.flow = true
    },
    Seq: (_, node) => {
      if (node.items.every((item) => isScalar(item))) node.flow = true
    },
  })
  return ABOUT + yaml.toString({ lineWidth: 100 })
}
