/** How a gateway reaches its collector, as data: durations in seconds. */
export interface NetworkModel {
  readonly title: string
  readonly intervalSeconds: number
  /** Up to this much is added to each interval. */
  readonly jitterSeconds: number
  /** How long a connection lasts that is made for a report; null: it stays up. */
  readonly connectedSeconds: number | null
}

export const NETWORKS = {
  always: {
    title: 'always connected, a report every 5 minutes',
    intervalSeconds: 300,
    jitterSeconds: 30,
    connectedSeconds: null,
  },
  'duty-cycled': {
    title: 'connects for a minute every quarter of an hour',
    intervalSeconds: 900,
    jitterSeconds: 60,
    connectedSeconds: 60,
  },
  'nb-iot': {
    title: 'NB-IoT: connects for 20 seconds every hour',
    intervalSeconds: 3_600,
    jitterSeconds: 600,
    connectedSeconds: 20,
  },
} as const satisfies Record<string, NetworkModel>

export type NetworkName = keyof typeof NETWORKS

/** When the next report is made. `fraction`: from 0 to below 1. */
export const nextReportAt = (network: NetworkModel, now: number, fraction: number): number =>
  now + (network.intervalSeconds + network.jitterSeconds * fraction) * 1000

/** A fleet is not switched on at once: the first reports spread over an interval. */
export const firstReportAt = (network: NetworkModel, fraction: number): number =>
  network.intervalSeconds * 1000 * fraction

/** Which share of a fleet is connected how. The shares need not sum up to anything. */
export type NetworkMix = Readonly<Partial<Record<NetworkName, number>>>

/** The network of a gateway. `fraction`: from 0 to below 1, the gateway's own. */
export function networkOf(mix: NetworkMix, fraction: number): NetworkModel {
  const shares = Object.entries(mix).filter(([, share]) => share > 0) as [NetworkName, number][]
  let left = fraction * shares.reduce((sum, [, share]) => sum + share, 0)
  for (const [name, share] of shares) {
    if (left < share) return NETWORKS[name]
    left -= share
  }
  return NETWORKS[shares.at(-1)?.[0] ?? 'always']
}
