import type { FindingCode } from '../../shared/codes/findings.ts'

/** What happens to some gateways of a fleet. Durations in seconds. */
export type Change =
  /** Boots that release, whichever it had before. */
  | { readonly kind: 'release'; readonly release: number }
  | { readonly kind: 'listener'; readonly port: number; readonly executable: string }
  | { readonly kind: 'package'; readonly name: string; readonly version: string }
  /** Boots a kernel that is not its release's. */
  | { readonly kind: 'tampered-boot' }
  /** Loses its connection. Afterwards all come back in one moment, or over a minute. */
  | { readonly kind: 'offline'; readonly seconds: number; readonly back: 'at-once' | 'spread' }
  /** A copy of the machine is started elsewhere and reports too. */
  | { readonly kind: 'clone' }
  /** Somebody sends its last messages once more. */
  | { readonly kind: 'replay' }

/** Gateways by their place in an order that the fleet's seed shuffles: the first ones, or a share of all, from 0 to 1. */
export type Selection = { readonly first: number } | { readonly from: number; readonly to: number }

export interface Step {
  readonly atSeconds: number
  readonly gateways: Selection
  readonly change: Change
}

export interface Scenario {
  readonly title: string
  readonly durationSeconds: number
  readonly steps: readonly Step[]
  /** What a collector has to tell, once for each gateway concerned; empty where nothing is wrong. */
  readonly findings: readonly FindingCode[]
}

/** Places in the shuffled order, of a fleet of `count`. */
export function selected(selection: Selection, count: number): { readonly from: number; readonly to: number } {
  if ('first' in selection) return { from: 0, to: Math.min(selection.first, count) }
  return { from: Math.round(selection.from * count), to: Math.round(selection.to * count) }
}
