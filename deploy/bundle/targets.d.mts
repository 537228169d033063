export interface Target {
  readonly runtime?: { readonly name: string; readonly integrity: string }
}
export declare const RUNTIME_VERSION: string
export declare function ownTarget(): string
/** Throws for a name that there is none of. */
export declare function targetOf(name: string): Target
