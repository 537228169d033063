import type { PostureCondition } from '../../shared/advisories/posture-condition.ts'
import type { Labels } from './labels.ts'

/**
 * What people say of an advisory for a product. `excluded`: it does not matter there for a time, whatever is affected.
 * `not-affected`: a statement as of VEX. `affected`: takes back what else is said, for the devices that it is about.
 */
export const PRODUCT_VERDICTS = ['excluded', 'not-affected', 'affected'] as const
export type ProductVerdict = (typeof PRODUCT_VERDICTS)[number]

/** OpenVEX 0.2.0, "Status Justifications"; the same as of CISA. */
export const JUSTIFICATIONS = [
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
] as const
export type Justification = (typeof JUSTIFICATIONS)[number]

/** Devices that have all of these labels, whichever they are when somebody asks. */
export interface Environment {
  /** Null: the labels were named themselves. */
  readonly groupId: string | null
  /** That of the group, or the labels. */
  readonly name: string
  readonly labels: Labels
}

/** For devices that are all of what is not null here. */
export interface ProductStatement {
  /** `exc_` + UUIDv7. */
  readonly id: string
  readonly productId: string
  readonly advisory: string
  /** Null: whatever package it is about. */
  readonly package: string | null
  readonly verdict: ProductVerdict
  /** Of `not-affected` alone. */
  readonly justification: Justification | null
  readonly release: { readonly id: string; readonly name: string } | null
  readonly configuration: { readonly id: string; readonly name: string } | null
  readonly environment: Environment | null
  readonly reason: string
  readonly createdAt: number
  readonly createdBy: string
  readonly createdByName: string
  readonly expiresAt: number
  readonly endedAt: number | null
}

/** What a device's posture has to say for the device to be in a named configuration of its product. It never changes. */
export interface ProductConfiguration {
  /** `cfg_` + UUIDv7. */
  readonly id: string
  readonly productId: string
  readonly name: string
  readonly conditions: readonly PostureCondition[]
  readonly createdAt: number
  readonly createdBy: string
  readonly createdByName: string
}

/** Whether a posture meets a configuration; `unknown`: it does not tell, or not all. */
export type Met = 'met' | 'not-met' | 'unknown'

/** Ids of the configurations that a posture is known to meet, and of those that it is known not to. Of others nobody knows. */
export interface Meeting {
  readonly met: ReadonlySet<string>
  readonly notMet: ReadonlySet<string>
}

export const NOTHING_KNOWN: Meeting = { met: new Set(), notMet: new Set() }

/** Equal for equal labels, in whatever order. */
export const environmentKey = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))

export const labelsText = (labels: Labels): string =>
  Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')

export const isInForce = ({ expiresAt, endedAt }: ProductStatement, now: number): boolean =>
  endedAt === null && expiresAt > now
