/** One part of `npm run bench`, listed in ./parts.ts. */
export interface Part {
  /** Measured by `npm run bench` without names. */
  readonly isUsual: boolean
  /** `result` is written down; `rows` are printed: what, measured, goal. */
  measure(repository: string, say: (line: string) => void): Promise<PartResult>
}

export interface PartResult {
  readonly result: object
  readonly rows: readonly (readonly string[])[]
}
