import { pathMatcher } from '../../shared/ima/glob.ts'
import {
  isUnsigned,
  keyringSubject,
  sourceSubject,
  type Keyring,
  type UpdateChannel,
  type UpdateChannelContent,
  type UpdateSource,
} from '../../shared/posture/sections/update-channel.ts'
import type { UpdateSourceRules } from './rule-schema.ts'

/** Subjects of update sources and keyrings that the rules allow; as with listeners, they need not be there. */
export function allowedSources(rules: UpdateSourceRules, contents: readonly UpdateChannelContent[]): Set<string> {
  const matchers = rules.allow.map(matcherOf)
  const keys = new Set(rules.keys)
  const allowed = new Set<string>()
  const refused = new Set<string>()
  for (const channel of contents.flatMap(({ channels }) => channels)) {
    const { manager } = channel
    for (const source of channel.sources) {
      const isAllowed = isChecked(source, channel) && matchers.some((matches) => matches(source, channel))
      ;(isAllowed ? allowed : refused).add(sourceSubject(manager, source))
    }
    for (const keyring of channel.keyrings) {
      ;(holdsOnly(keys, keyring) ? allowed : refused).add(keyringSubject(manager, keyring))
    }
  }
  for (const subject of refused) allowed.delete(subject)
  return allowed
}

/** No rule of this kind allows content without a valid signature. */
function isChecked(source: UpdateSource, channel: UpdateChannel): boolean {
  const signatures = source.signatures === 'default' ? channel.signatures : source.signatures
  const isWeakened = source.settings.some(({ effect }) => effect !== 'none')
  return signatures === 'enforced' && !isUnsigned(source, channel) && !isWeakened
}

const holdsOnly = (allowed: ReadonlySet<string>, { status, keys }: Keyring): boolean =>
  status === 'read' && keys.length > 0 && keys.every(({ fingerprint }) => allowed.has(fingerprint))

function matcherOf(
  rule: UpdateSourceRules['allow'][number],
): (source: UpdateSource, channel: UpdateChannel) => boolean {
  const isId = pathMatcher(rule.id)
  const uris = rule.uris.map(pathMatcher)
  const signers = rule.signedBy?.map(pathMatcher)
  const all = (texts: readonly string[], matchers: readonly ((text: string) => boolean)[]): boolean =>
    texts.length > 0 && texts.every((text) => matchers.some((matches) => matches(text)))
  return (source, { manager }) =>
    manager === rule.manager &&
    isId(source.id) &&
    all(source.uris, uris) &&
    (signers === undefined || all(source.signedBy, signers))
}
