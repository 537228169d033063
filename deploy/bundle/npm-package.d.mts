export interface PinnedPackage {
  readonly name: string
  readonly version: string
  readonly integrity: string
}
export declare function unpackPackage(wanted: PinnedPackage, directory: string, paths: readonly string[]): void
