/** The dashboard, for the collector to serve. `directory`: in place of dist/web. */
export function buildWeb(directory?: string): Promise<void>
