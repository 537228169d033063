import type { Keyring } from '../../../shared/posture/sections/update-channel.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { UnchangedFiles } from '../unchanged.ts'
import { readKeys } from './openpgp.ts'

const MAX_KEYRING_BYTES = 1024 * 1024

const kept = new UnchangedFiles<Pick<Keyring, 'status' | 'keys'>>()

/** One keyring file and the primary keys in it. A file that cannot be read says why. */
export function readKeyring(host: Host, path: string, trustedForAll: boolean): Keyring {
  return { path: printable(path, 512), trustedForAll, ...kept.get(host, path, () => readFrom(host, path)) }
}

function readFrom(host: Host, path: string): Pick<Keyring, 'status' | 'keys'> {
  const file = host.readFile(path, MAX_KEYRING_BYTES)
  if (file.status !== 'found') return { status: file.status, keys: [] }
  // An empty keyring trusts nobody, which apt accepts.
  const keys = file.value.length === 0 ? [] : readKeys(file.value)
  return keys === undefined ? { status: 'malformed', keys: [] } : { status: 'read', keys }
}
