import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isLoopbackHost } from '../../shared/config/url-types.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { StoreLocation } from '../store/index.ts'
import type { PostgresSettings } from '../store/postgres/pool.ts'
import { readSecretFile } from '../trust/key-files.ts'
import type { CollectorConfig } from './options.ts'

/** Where the configuration says that the database is. Reads the password. Errors: file.unreadable, state.*. */
export async function storeLocation(config: CollectorConfig): Promise<StoreLocation> {
  if (config.store.engine === 'sqlite') return { path: join(config.data.directory, 'collector.db') }
  const { host, port, database, user, passwordFile, connections } = config.postgresql
  const password = passwordFile === '' ? undefined : (await readSecretFile(passwordFile)).toString('utf8')
  return {
    postgres: {
      host,
      port,
      database,
      user,
      password: password?.replace(/\r?\n$/, ''),
      tls: tlsOf(config),
      connections,
    },
  }
}

/** What leaves this machine is encrypted, and goes to nobody but the server of that name. */
function tlsOf({ postgresql: { host, caFile } }: CollectorConfig): PostgresSettings['tls'] {
  if (host.startsWith('/') || (isLoopbackHost(host) && caFile === '')) return false
  if (caFile === '') return { ca: undefined, caFile: '' }
  try {
    return { ca: readFileSync(caFile, 'utf8'), caFile }
  } catch (cause) {
    throw new KeepsealError('file.unreadable', caFile, { cause })
  }
}
