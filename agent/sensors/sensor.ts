import type {
  FailureCode,
  NoPermissionReason,
  NotSupportedReason,
  SectionReading,
} from '../../shared/posture/reading.ts'
import type { SectionContents, SectionId } from '../../shared/posture/sections.ts'
import type { Host } from './host.ts'

/** A value that differs between units or reports. Goes into the claim `state`, never into a section. */
export type StateScalar = number | string | boolean

/**
 * What a sensor answers. `detail` is for the local log and the doctor command: it may name processes and paths, and
 * is not sent.
 */
export type Reading<S extends SectionId = SectionId> =
  | {
      readonly status: 'measured'
      readonly content: SectionContents[S]
      /** Keys are `section.name`; integers, no fractions. */
      readonly state?: Readonly<Record<string, StateScalar>>
    }
  | { readonly status: 'not-supported'; readonly reason: NotSupportedReason }
  | { readonly status: 'no-permission'; readonly reason: NoPermissionReason; readonly detail: string }
  | { readonly status: 'failed'; readonly code: FailureCode; readonly detail: string }

/** One way to measure one section. Listed in ./registry.ts. */
export interface Sensor<S extends SectionId = SectionId> {
  readonly id: string
  readonly title: string
  readonly section: S
  /** What it reads. */
  readonly reads: string
  /** What it needs to see everything. */
  readonly needs: string
  /** What it cannot see even then. */
  readonly blindSpots: string
  /** What one measurement may cost on a small gateway. */
  readonly budget: { readonly cpuMs: number }
  /** What to do when it cannot measure. */
  readonly remedy: string
  /** The privileged helper sees more of it than the agent can: its reading is taken where there is one. */
  readonly privileged?: boolean
  /**
   * Of one that is privileged: differs when anything has changed that the agent can see of it, at little cost. Without
   * it the sensor's own reading does.
   */
  glance?(host: Host): string
  measure(host: Host): Promise<Reading<S>> | Reading<S>
}

/** Ends a measurement whose input cannot be used as a whole. The registry turns it into a reading. */
export class SensorFailure extends Error {
  readonly reading: Exclude<SectionReading, { status: 'measured' }> & { readonly detail: string }

  constructor(reading: SensorFailure['reading']) {
    super(reading.detail)
    this.name = 'SensorFailure'
    this.reading = reading
  }
}
