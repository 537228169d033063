/** Measures this machine as whoever runs it, and prints each section with what its sensor was refused. */
import { createHost } from '../../../agent/sensors/host.ts'
import { measureAll, SENSORS } from '../../../agent/sensors/registry.ts'
import type { Reading } from '../../../agent/sensors/sensor.ts'
import { watchedHost } from '../../support/watched-host.ts'

/** One section of what this program prints. */
export interface PrintedSection {
  readonly reading: Reading
  /** Paths that are there and could not be read for want of permission. */
  readonly refused: readonly string[]
}

const sections: Record<string, PrintedSection> = {}
for (const sensor of SENSORS) {
  const refused: string[] = []
  const host = watchedHost(createHost(), ({ path, status }) => {
    if (status === 'no-permission') refused.push(path)
  })
  for (const [id, { reading }] of await measureAll(host, [sensor])) sections[id] = { reading, refused }
}
process.stdout.write(JSON.stringify(sections))
