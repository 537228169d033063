import type { Keyring } from '../../../shared/posture/sections/update-channel.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { readFingerprints } from './openpgp.ts'

const MAX_KEYRING_BYTES = 1024 * 1024

/** One keyring file and the primary keys in it. A file that cannot be read says why. */
export function readKeyring(host: Host, path: string, trustedForAll: boolean): Keyring {
  const about = { path: printable(path, 512), trustedForAll }
  const file = host.readFile(path, MAX_KEYRING_BYTES)
  if (file.status !== 'found') return { ...about, status: file.status, fingerprints: [] }
  // An empty keyring trusts nobody, which apt accepts.
  const fingerprints = file.value.length === 0 ? [] : readFingerprints(file.value)
  if (fingerprints === undefined) return { ...about, status: 'malformed', fingerprints: [] }
  return { ...about, status: 'read', fingerprints }
}
