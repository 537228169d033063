import { KeepsealError } from '../../shared/errors.ts'

const NEWEST_MAJOR = 22

/**
 * From Node 24 on better-sqlite3 12 ends the process as soon as a statement is collected while no JavaScript runs: its
 * destructor asks for an environment that there is not then. The next version of it needs Node 22, and gateways' build
 * machines have 20. Throws KeepsealError `state.runtime-unfit`.
 */
export function assertSqliteRuntime(version: string = process.versions.node): void {
  if (Number.parseInt(version, 10) > NEWEST_MAJOR) throw new KeepsealError('state.runtime-unfit', `Node.js ${version}`)
}
