import { readBootIdentity } from '../sensors/boot-identity.ts'
import type { Host } from '../sensors/host.ts'
import type { SystemIdentity } from './answer.ts'

/**
 * Which system a host is: this boot of this kernel, and this root directory. Agent and helper may see it through
 * mount namespaces and bind mounts of their own, which change neither. Undefined where it cannot be told.
 */
export function systemIdentity(host: Host): SystemIdentity | undefined {
  const { bootId } = readBootIdentity(host)
  const root = host.stat('/')
  if (!('value' in bootId) || root.status !== 'found') return undefined
  // Size and times of the directory change with what is made in it.
  return { boot: bootId.value, root: root.value.identity.split(':', 2).join(':') }
}
