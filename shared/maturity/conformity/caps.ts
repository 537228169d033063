import type { Level, SignalDefinition } from '../signals/definition.ts'

/** Units that are alike in everything that says how far their claims carry, and how many they are. */
export interface AssuredUnits {
  readonly identity: 'tpm-endorsed' | 'tpm-tofu' | 'software'
  readonly bootCoverage: 'measured' | 'partial' | 'none'
  /** The newest evidence matches what was approved, and nothing is latched. */
  readonly matches: boolean
  /** The kernel's measurement list proves the programs that run, and so the agent itself. */
  readonly agentMeasured: boolean
  readonly count: number
}

/** A level is claimed for a fleet when this share of its units carries it. */
const CLAIMED_BY = 0.95

type Claim = Pick<SignalDefinition, 'source' | 'needsBoot'>

/**
 * How high claims of a unit carry a practice: what its TPM measured and matches 4; what an agent says that is measured
 * itself 3; an agent that nobody measured, on a device with a TPM, 2; a device of software alone 1. A TPM that was
 * trusted on first use carries 3 at most. What depends on the boot carries 1 where the boot is not measured, 2 where it
 * is measured in part.
 */
export function capOfUnit({ source, needsBoot }: Claim, unit: AssuredUnits): Level {
  if (source === 'observed' || source === 'recorded') return 4
  if (unit.identity === 'software') return 1
  const isProven = source === 'measured' && unit.matches && unit.bootCoverage === 'measured'
  const byClaim: Level = isProven ? 4 : unit.matches && unit.agentMeasured ? 3 : 2
  const byIdentity: Level = unit.identity === 'tpm-tofu' ? 3 : 4
  const byBoot: Level =
    needsBoot !== true || unit.bootCoverage === 'measured' ? 4 : unit.bootCoverage === 'partial' ? 2 : 1
  return Math.min(byClaim, byIdentity, byBoot) as Level
}

/** The highest level that nearly all units carry; 0 where there are none. What the collector saw itself has no cap. */
export function capOfFleet(claim: Claim, units: readonly AssuredUnits[]): Level | 0 {
  if (claim.source === 'observed' || claim.source === 'recorded') return 4
  const total = units.reduce((sum, { count }) => sum + count, 0)
  for (const level of [4, 3, 2, 1] as const) {
    const carrying = units.reduce((sum, unit) => sum + (capOfUnit(claim, unit) >= level ? unit.count : 0), 0)
    if (total > 0 && carrying >= CLAIMED_BY * total) return level
  }
  return 0
}
