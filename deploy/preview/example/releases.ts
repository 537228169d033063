import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { parseReleaseFile } from '../../../collector/releases/yaml.ts'
import type { ExamplePeople } from './people.ts'

const Made = v.looseObject({ release: v.looseObject({ id: v.string() }), digest: v.string() })
const WEEKS_MS = 4 * 7 * 86_400_000

/** Two releases of one product: the second is in force, and the first accepted for four weeks beside it. */
export async function release(people: ExamplePeople, directory: string, productId: string): Promise<void> {
  const text = readFileSync(join(directory, 'release.yaml'), 'utf8')
  for (const name of ['2.4.0', '2.4.1']) {
    const file = parseReleaseFile(text.replaceAll('RELEASE', name))
    const vendor = people.api('vendor')
    const { release: made, digest } = await vendor.post(`/products/${productId}/releases`, { file }, Made)
    const path = `/releases/${made.id}`
    const seen = { seen: digest }
    await people.api('approver').post(`${path}/approve`, seen, v.looseObject({}))
    await people.api('certifier').post(`${path}/countersign`, seen, v.looseObject({}))
    const acceptedUntil = new Date(Date.now() + WEEKS_MS).toISOString()
    await vendor.post(`${path}/activate`, name === '2.4.0' ? {} : { acceptedUntil }, v.looseObject({}))
  }
}
