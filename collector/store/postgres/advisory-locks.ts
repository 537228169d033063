/** Numbers of this product's advisory locks within its database: "ks" and a counter. */
export const advisoryLocks = {
  /** Of transactions: alone, or shared by those that lock rows. */
  writing: 0x6b730001,
  /** Shared by every collector that serves; alone by a restore. */
  serving: 0x6b730002,
  /** Of the one collector that does the periodic work. */
  tracking: 0x6b730003,
  /** Of the one that sends notifications. */
  notifying: 0x6b730004,
} as const
