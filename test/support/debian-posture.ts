import { bytes } from '../collector/store/samples.ts'
import type { Store } from '../../collector/store/index.ts'
import { hash } from '../../shared/crypto/node.ts'
import { encodeSection } from '../../shared/posture/canonical.ts'
import type { Package } from '../../shared/posture/sections/packages.ts'

/** A posture of a Debian 12 with these packages, as if a device had reported it; its digest. */
export async function saveDebianPosture(
  store: Store,
  vendor: string,
  label: string,
  packages: readonly Package[],
): Promise<Uint8Array> {
  const absent = { missing: 'absent' } as const
  const total = packages.length
  const list = { manager: 'dpkg' as const, packages: [...packages], total, malformed: 0, incomplete: false }
  const system = {
    os: { value: { id: 'debian', versionId: '12' } },
    kernel: { release: absent, machine: absent, build: absent },
  }
  const sections = [
    ['packages', encodeSection('packages', { status: 'measured', content: list }, hash)],
    ['system', encodeSection('system', { status: 'measured', content: system }, hash)],
  ] as const
  for (const [, section] of sections) await store.sections.save(vendor, section.digest, section.bytes)
  const digest = bytes(label, 32)
  await store.postures.save(vendor, digest, new Map(sections.map(([id, section]) => [id, section.digest])))
  return digest
}
