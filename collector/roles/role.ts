/** What a process of the collector can do. One process does all of it, or several share it on one database. */
export const ROLES = ['ingest', 'api', 'tracker', 'notify'] as const
export type Role = (typeof ROLES)[number]

/** Those that need the broker that is inside a process to be inside theirs. */
export const ROLES_AT_THE_BROKER = ['ingest', 'api', 'tracker'] as const satisfies readonly Role[]

/** With an embedded broker these three are one process: it takes in, gives out epochs, and is told who was revoked. */
export function canShareEmbeddedBroker(roles: readonly Role[]): boolean {
  const held = ROLES_AT_THE_BROKER.filter((role) => roles.includes(role))
  return held.length === 0 || held.length === ROLES_AT_THE_BROKER.length
}

/** A role that runs. */
export interface RunningRole {
  /** Ends what it does, in order. */
  stop(): Promise<void>
}
