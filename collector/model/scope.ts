/** Whose things somebody sees and touches: those of one vendor, or of some products of it. */
export interface VendorScope {
  readonly vendor: string
  /** Ids; null: all of the vendor, also those that come. */
  readonly products: readonly string[] | null
}
