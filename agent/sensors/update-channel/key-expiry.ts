import type { UpdateChannel } from '../../../shared/posture/sections/update-channel.ts'

/**
 * When the first of the sources has no signing key left, in seconds since 1970: of each source the key that lasts
 * longest counts. Undefined where every source has a key that lasts for ever, or no known one.
 */
export function firstKeyExpiry(channels: readonly UpdateChannel[]): number | undefined {
  let first: number | undefined
  for (const channel of channels) {
    for (const signers of signersOf(channel)) {
      const last = lastExpiry(channel, signers)
      if (last !== undefined) first = Math.min(first ?? last, last)
    }
  }
  return first
}

/** Those of each source, alike ones once; a manager that has no sources of its own has one set of keys. */
function signersOf({ sources }: UpdateChannel): Iterable<readonly string[]> {
  const signers = sources.length === 0 ? [[]] : sources.map(({ signedBy }) => signedBy)
  return new Map(signers.map((each) => [each.join('\0'), each])).values()
}

function lastExpiry({ keyrings }: UpdateChannel, signedBy: readonly string[]): number | undefined {
  const trusted = keyrings.filter(({ path, trustedForAll }) =>
    signedBy.length === 0 ? trustedForAll : signedBy.includes(path),
  )
  let last: number | undefined
  for (const { expires } of trusted.flatMap(({ keys }) => keys)) {
    if (expires === undefined) return undefined
    last = Math.max(last ?? expires, expires)
  }
  return last
}
