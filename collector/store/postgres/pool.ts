import { Pool, types, type PoolClient } from 'pg'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import { KeepsealError } from '../../../shared/errors.ts'
import { translatePostgresError } from './errors.ts'

/** Where the database is and who asks. */
export interface PostgresSettings {
  /** Host name or address, or the absolute path of a socket directory. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password?: string | undefined
  /** Verified against these authorities, in PEM, or the system's; `false`: without TLS. */
  readonly tls: { readonly ca: string | undefined; readonly caFile: string } | false
  /** Most connections at once. */
  readonly connections: number
}

/** Seen by an operator in pg_stat_activity. */
const APPLICATION_NAME = 'keepseal-collector'

/** The server ends what takes longer; the client gives up a little later, when the server does not answer at all. */
const STATEMENT_MS = 60_000
const NO_ANSWER_MS = 70_000

/** What a connection is opened with. `patient`: for work that may take hours, without any limit of time. */
export function clientOptions(settings: PostgresSettings, patient = false) {
  const { host, port, database, user, password, tls } = settings
  return {
    host,
    port,
    database,
    user,
    ...(password !== undefined && { password }),
    ssl: tls === false ? false : { rejectUnauthorized: true, ...(tls.ca !== undefined && { ca: tls.ca }) },
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser },
    ...(!patient && {
      statement_timeout: STATEMENT_MS,
      query_timeout: NO_ANSWER_MS,
      lock_timeout: 20_000,
      // A collector that hangs in the middle must not hold back the others for ever.
      idle_in_transaction_session_timeout: 60_000,
    }),
  }
}

/** A pool of connections as Kysely wants it. A connection that failed is not used again. */
export function postgresPool(settings: PostgresSettings, patient = false): PostgresPool {
  const pool = new Pool({ ...clientOptions(settings, patient), max: settings.connections, idleTimeoutMillis: 30_000 })
  const statements = new WeakMap<PoolClient, PostgresPoolClient>()
  // A connection that is lost while nobody uses it is nobody's failure, and no reason to end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    async connect() {
      try {
        const client = await pool.connect()
        const known = statements.get(client) ?? withNamedStatements(client)
        statements.set(client, known)
        return known
      } catch (cause) {
        throw translatePostgresError(cause)
      }
    },
    end: () => pool.end(),
  }
}

const MAX_NAMED_STATEMENTS = 256

/** Statements are planned once per connection. A list of values has a text for each length: those stay nameless. */
function withNamedStatements(client: PoolClient): PostgresPoolClient {
  const names = new Map<string, string>()
  let isBroken = false
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text)
    if (known !== undefined || names.size >= MAX_NAMED_STATEMENTS || / in \(\$|^(begin|commit|rollback)/.test(text)) {
      return known
    }
    const name = `s${names.size}`
    names.set(text, name)
    return name
  }
  const query = async (text: string, parameters: readonly unknown[]) => {
    try {
      const result = await client.query({ name: nameOf(text), text, values: parameters.map(storable) })
      // It ends so when a statement within it failed and nobody heard: nothing of it was stored.
      if (text === 'commit' && result.command !== 'COMMIT') throw new Error('a failed transaction was to be committed')
      return result
    } catch (cause) {
      const error = translatePostgresError(cause)
      isBroken ||= error instanceof KeepsealError && error.code === 'state.unreachable'
      throw error
    }
  }
  // The other form of `query` is for cursors, which Kysely uses for streams alone.
  return { query: query as unknown as PostgresPoolClient['query'], release: () => client.release(isBroken) }
}

/** PostgreSQL's text holds every character but NUL, which SQLite keeps; a message must not be undecidable for one. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value
}

const INT8 = 20
const BYTEA = 17

/** As SQLite gives them: integers as numbers, bytes as plain Uint8Array. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === INT8) return safeInteger
  if (oid !== BYTEA) return types.getTypeParser(oid, format)
  const parse: (text: string) => unknown = types.getTypeParser(BYTEA)
  return (text) => {
    const bytes = parse(text)
    return bytes instanceof Uint8Array ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes
  }
}

function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`the integer ${text} is too large`)
  return value
}
