export const COLLECTOR_RUNTIME: {
  readonly version: string
  readonly packages: Readonly<Record<string, { readonly name: string; readonly integrity: string } | undefined>>
}
