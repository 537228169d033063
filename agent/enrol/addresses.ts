import type { AgentConfig } from '../config/options.ts'
import type { Identity } from '../state/identity.ts'

/**
 * Where the collector may be, best first. What the collector has stated comes before the configuration, which images
 * keep from the day of the enrolment; without a statement the configuration counts.
 */
export function collectorAddresses({ collector }: AgentConfig, identity: Identity): readonly [string, ...string[]] {
  const { trust } = identity
  const configured = collector.url === '' ? [] : [collector.url]
  if (trust.number === 0) return [configured[0] ?? identity.collector.url]
  const former = trust.fallback === null ? [] : [trust.fallback.url]
  const others = new Set([...configured, ...former])
  others.delete(identity.collector.url)
  return [identity.collector.url, ...others]
}

/** The first answer that there is. Throws what the last address failed with. */
export async function firstAnswer<T>(
  addresses: readonly [string, ...string[]],
  ask: (address: string) => Promise<T>,
): Promise<T> {
  const [first, ...others] = addresses
  const [next, ...rest] = others
  if (next === undefined) return ask(first)
  try {
    return await ask(first)
  } catch {
    return firstAnswer([next, ...rest], ask)
  }
}
