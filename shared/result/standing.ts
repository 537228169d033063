/**
 * Where a device stands, in one word, for lists alone: what needs an act first. Pages may group the axes so; storage
 * never does. The first that holds counts.
 */
export const DEVICE_STANDINGS = [
  /** Its evidence fails, or failed and nobody has acknowledged it. */
  'failed',
  'silent',
  'drifted',
  /** Waits to be accepted. */
  'pending',
  'not-appraised',
  'never-seen',
  'stale',
  /** Proven good by fresh evidence. */
  'good',
  'revoked',
] as const
export type DeviceStanding = (typeof DEVICE_STANDINGS)[number]
