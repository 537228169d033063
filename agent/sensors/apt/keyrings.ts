import type { Keyring } from '../../../shared/posture/sections/update-channel.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { readKeys } from './openpgp.ts'

const MAX_KEYRING_BYTES = 1024 * 1024

/** One keyring file and the primary keys in it. A file that cannot be read says why. */
export function readKeyring(host: Host, path: string, trustedForAll: boolean): Keyring {
  const about = { path: printable(path, 512), trustedForAll }
  const file = host.readFile(path, MAX_KEYRING_BYTES)
  if (file.status !== 'found') return { ...about, status: file.status, keys: [] }
  // An empty keyring trusts nobody, which apt accepts.
  const keys = file.value.length === 0 ? [] : readKeys(file.value)
  if (keys === undefined) return { ...about, status: 'malformed', keys: [] }
  return { ...about, status: 'read', keys }
}
