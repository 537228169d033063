import type { Observation } from '../../shared/posture/observation.ts'
import type { Host } from './host.ts'
import { observed } from './observe.ts'

/** What tells one boot of one unit from another. For the claims of the evidence, never for a section. */
export interface BootIdentity {
  /** The kernel's random boot id, 16 bytes; a kexec gives a new one too. For the claim bootseed. */
  readonly bootId: Observation<Uint8Array>
  /** Whole seconds since the kernel started. */
  readonly uptimeSeconds: Observation<number>
}

/** No boot count: Linux keeps none. The TPM's resetCount, which arrives with the quote, is the one to rely on. */
export function readBootIdentity(host: Host): BootIdentity {
  return {
    bootId: observed(host.readText('/proc/sys/kernel/random/boot_id', 64), (text) => {
      const id = text.trimEnd()
      return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
        ? { value: new Uint8Array(Buffer.from(id.replaceAll('-', ''), 'hex')) }
        : { missing: 'malformed' }
    }),
    uptimeSeconds: observed(host.readText('/proc/uptime', 128), (text) => {
      const seconds = /^(\d{1,12})(?:\.\d+)? /.exec(text)?.[1]
      return seconds === undefined ? { missing: 'malformed' } : { value: Number.parseInt(seconds, 10) }
    }),
  }
}
