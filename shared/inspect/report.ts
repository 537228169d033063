/** One explained field. `value` and `meaning` are plain text that may come from a device: make it printable. */
export interface ReportLine {
  readonly path: string
  readonly value: string
  readonly meaning: string
}
