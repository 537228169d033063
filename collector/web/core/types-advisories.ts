/** What the pages about vulnerabilities read of the API's answers. */

/** What people have said of an advisory for devices of a product, and counts. */
export interface Ruling {
  readonly verdict: string
  /** Empty: the whole product. */
  readonly scope: string
  readonly reason: string
  readonly until: string
}

export interface Concern {
  readonly advisory: string
  readonly summary: string
  readonly severity: string | null
  readonly exploited: boolean
  readonly probability: number | null
  readonly score: number | null
  readonly listener: { readonly reach: string; readonly ports: readonly string[] } | null
  readonly published: string | null
  readonly packages: readonly string[]
  readonly fixedIn: string | null
  readonly status: string
  readonly devices: number
  readonly limited: number
  readonly excludedUntil: string | null
  readonly ruling: Ruling | null
}

export interface Update {
  readonly ecosystem: string
  readonly source: string
  readonly version: string
  readonly packages: readonly string[]
  readonly advisories: readonly string[]
  readonly exploited: number
  readonly severity: string | null
  readonly probability: number | null
  readonly ports: readonly string[]
  readonly oldest: string | null
  readonly devices: number
}

export interface Patching {
  readonly advisory: string
  readonly severity: string
  readonly published: string
  readonly exposed: string
  readonly patched: string | null
}

export interface Vulnerabilities {
  readonly devices: number
  readonly unknownDevices: number
  readonly items: readonly Concern[]
  readonly updates: readonly Update[]
  readonly patching: readonly Patching[]
}

export interface Effect {
  readonly productId: string
  readonly package: string
  readonly installed: string
  readonly fixedIn: string | null
  readonly status: string
  readonly reason: string
  readonly justification: string | null
  readonly disputedBy: readonly string[]
  readonly devices: number
  readonly limited: number
  readonly limitation: string | null
  readonly excludedUntil: string | null
  readonly ruling: Ruling | null
}

export interface AdvisoryDetail {
  readonly advisories: readonly {
    readonly id: string
    readonly feed: string
    readonly aliases: readonly string[]
    readonly summary: string
    readonly severity: string | null
    readonly published: string | null
    readonly withdrawn: string | null
    readonly knownAt: string
  }[]
  readonly statements: readonly {
    readonly feed: string
    readonly ecosystem: string
    readonly release: string
    readonly package: string
    readonly statement: string
    readonly ranges: readonly { readonly fixed: string | null }[]
    readonly justification: string | null
  }[]
  readonly effects: readonly Effect[]
  readonly stated: readonly (Omit<Ruling, 'until'> & {
    readonly productId: string
    readonly expiresAt: string
    readonly isOver: boolean
  })[]
}
