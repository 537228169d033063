/** One part of `npm run bench`, listed in ./parts.ts. */
export interface Part {
  /** Measured by `npm run bench` without names. */
  readonly isUsual: boolean
  /**
   * `result` is written down; `rows` are printed: what, measured, goal. `save` writes down what is known so far: of a long
   * one that fails in the end the rest is kept.
   */
  measure(repository: string, say: (line: string) => void, save: (result: object) => void): Promise<PartResult>
}

export interface PartResult {
  readonly result: object
  readonly rows: readonly (readonly string[])[]
}
