/** What people say of a device: `site` = `plant-7`. At most one value for a key. */
export type Labels = Readonly<Record<string, string>>

/** Of one device, or of what makes a group. */
export const MAX_LABELS = 32

/** Devices that have all of these labels: a question that is asked anew each time, not a list. */
export interface DeviceGroup {
  /** `grp_` + UUIDv7. */
  readonly id: string
  /** Of whoever made it and is bound to a vendor; null: of those who are bound to none. */
  readonly vendor: string | null
  readonly name: string
  readonly labels: Labels
  readonly createdBy: string
  readonly createdAt: number
}
