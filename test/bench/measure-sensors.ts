import { readFileSync, writeFileSync } from 'node:fs'
import { loadAgentConfig } from '../../agent/config/load.ts'
import { createHost, type Host } from '../../agent/sensors/host.ts'
import { measureAll } from '../../agent/sensors/registry.ts'
import { knowSelf } from '../../agent/self/self.ts'

/** What one process needed to measure one system twice. */
export interface MeasuredSensors {
  readonly firstMs: number
  readonly unchangedMs: number
  /** Highest resident memory meanwhile, above what the process had before. */
  readonly memoryMib: number
  readonly sections: Readonly<Record<string, { readonly firstMs: number; readonly unchangedMs: number }>>
}

async function measureSensors(root: string): Promise<MeasuredSensors> {
  const { values: config } = loadAgentConfig({ config: '/dev/null' }, {})
  const host = below(root, createHost({ self: knowSelf(config) }))
  // Linux, proc(5): the highest resident memory begins anew.
  writeFileSync('/proc/self/clear_refs', '5')
  const idleKib = kibOf('VmRSS')
  const first = await run(host)
  const unchanged = await run(host)
  const memoryMib = Math.round((kibOf('VmHWM') - idleKib) / 102.4) / 10
  const sections = [...first.sections].map(([id, ms]) => {
    return [id, { firstMs: tenths(ms), unchangedMs: tenths(unchanged.sections.get(id) ?? 0) }] as const
  })
  return {
    firstMs: tenths(first.cpuMs),
    unchangedMs: tenths(unchanged.cpuMs),
    memoryMib,
    sections: Object.fromEntries(sections),
  }
}

/**
 * A recorded system that is looked at as a real one is, link by link by the kernel: HostOptions.root would have the agent
 * resolve each by itself.
 */
const below = (root: string, host: Host): Host => ({
  ...host,
  readFile: (path, max) => host.readFile(root + path, max),
  readText: (path, max) => host.readText(root + path, max),
  open: (path) => host.open(root + path),
  readDirectory: (path, max) => host.readDirectory(root + path, max),
  readEntries: (path, max) => host.readEntries(root + path, max),
  readLink: (path) => host.readLink(root + path),
  stat: (path) => host.stat(root + path),
})

async function run(host: Host): Promise<{ cpuMs: number; sections: ReadonlyMap<string, number> }> {
  const before = host.cpuMs()
  const measurements = await measureAll(host)
  const cpuMs = host.cpuMs() - before
  return { cpuMs, sections: new Map([...measurements].map(([id, measurement]) => [id, measurement.cpuMs])) }
}

const tenths = (value: number): number => Math.round(value * 10) / 10

const kibOf = (field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1])

process.stdout.write(`${JSON.stringify(await measureSensors(process.argv[2] ?? ''))}\n`)
