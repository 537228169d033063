import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Part } from '../part.ts'
import { measurePeers } from './peers.ts'
import type { ApartResult, NarrowBand } from './result.ts'

/** At the shipped interval. */
const CYCLES_A_DAY = 86_400 / 300
const MINUTES_A_DAY = 1_440
/** At the preset's interval, and half its jitter on top. */
const VISITS_A_DAY = 86_400 / (3_600 + 120 / 2)
const GOALS = {
  idleRssKib: 80_000_000 / 1024,
  cpuSecondsPerDay: 60,
  wireBytesPerDay: 450_000,
  narrowBytesPerDay: 60_000,
}

/** The package as it is shipped, with its Node, unpacked into `directory`. */
function install(repository: string, directory: string): { readonly bytes: number; readonly programs: string } {
  const build = [join(repository, 'deploy', 'deb', 'build.mjs'), 'agent', '--out', directory]
  const file = execFileSync(process.execPath, build, { encoding: 'utf8' }).trim().split('\n').at(-1) ?? ''
  const root = join(directory, 'root')
  execFileSync('dpkg-deb', ['--extract', file, root])
  return { bytes: statSync(file).size, programs: join(root, 'usr', 'lib', 'keepseal') }
}

/**
 * What a kernel with a gateway's memory gives a table of connections: this machine's own would be as much larger as its
 * memory is, and each look at the sockets walks all of it. tcp_child_ehash_entries: the kernel's ip-sysctl page.
 */
const GATEWAY_CONNECTION_SLOTS = '8192'
const CONNECTION_SLOTS = '/proc/sys/net/ipv4/tcp_child_ehash_entries'

/** Runs `action` while namespaces of networks are made with a gateway's table; kernels before 6.1 have no such setting. */
async function withGatewayTables<Result>(action: () => Promise<Result>): Promise<Result> {
  if (!existsSync(CONNECTION_SLOTS)) return action()
  const before = readFileSync(CONNECTION_SLOTS, 'utf8')
  writeFileSync(CONNECTION_SLOTS, GATEWAY_CONNECTION_SLOTS)
  try {
    return await action()
  } finally {
    writeFileSync(CONNECTION_SLOTS, before)
  }
}

/** In namespaces of its own for networks and processes: the posture of the busy machine around it would be its own. */
function measureApart(repository: string, home: string, programs: string, say: (line: string) => void) {
  const script = join(repository, 'dist', 'test', 'bench', 'footprint', 'apart.js')
  const apart = ['--net', '--pid', '--fork', '--mount-proc', '--kill-child']
  const command = [...apart, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath, script]
  return new Promise<ApartResult>((resolve, reject) => {
    const child = spawn('unshare', [...command, repository, home, programs], { stdio: ['ignore', 'pipe', 'pipe'] })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => say(chunk.toString().trimEnd()))
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code !== 0) return reject(new Error(`measuring ended with ${code}; the logs are in ${home}/logs`))
      resolve(JSON.parse(printed.trim().split('\n').at(-1) ?? '') as ApartResult)
    })
  })
}

const narrowBytesPerDay = ({ wire, visits }: NarrowBand): number => Math.round((wire.bytes * VISITS_A_DAY) / visits)

export const footprint: Part = {
  isUsual: false,
  measure: async (repository, say) => {
    const work = mkdtempSync(join(tmpdir(), 'keepseal-footprint-'))
    say('Building the package.')
    const { bytes, programs } = install(repository, work)
    const { steady, rest, narrowBand, withoutTimestamps } = await withGatewayTables(() =>
      measureApart(repository, join(work, 'home'), programs, say),
    )
    say('node-exporter and lynis.')
    const peers = await measurePeers()
    rmSync(work, { recursive: true, force: true })
    const { cycles, wire, agentCpuMsPerCycle: agentMs, helperCpuMsPerCycle: helperMs } = steady
    const perDay = {
      cpuSeconds: Math.round(((agentMs + helperMs) * CYCLES_A_DAY + rest.cpuMsPerMinute * MINUTES_A_DAY) / 100) / 10,
      wireBytes: Math.round((wire.bytes * CYCLES_A_DAY) / cycles),
      narrowBytes: narrowBytesPerDay(narrowBand),
      narrowBytesWithoutTimestamps: narrowBytesPerDay(withoutTimestamps),
    }
    const { nodeExporter, lynis } = peers
    const rows = [
      ['agent at rest, resident', `${(rest.idleRssKib / 1024).toFixed(1)} MiB`, 'at most 80 MB (76.3 MiB)'],
      [
        'CPU a day, reports each 5 minutes',
        `${perDay.cpuSeconds} s: each ${agentMs} ms, helper ${helperMs} ms; at rest ${rest.cpuMsPerMinute} ms a minute`,
        `at most ${GOALS.cpuSecondsPerDay} s`,
      ],
      [
        'on the wire a day, IP packets',
        `${Math.round(perDay.wireBytes / 1000)} kB, ${(wire.packets / cycles).toFixed(1)} packets for each report`,
        'at most 450 kB',
      ],
      [
        'the same, preset narrow-band, once an hour',
        `${Math.round(perDay.narrowBytes / 1000)} kB, ${(narrowBand.wire.packets / narrowBand.visits).toFixed(1)} packets`,
        'at most 60 kB',
      ],
      [
        'the same without timestamps of TCP',
        `${Math.round(perDay.narrowBytesWithoutTimestamps / 1000)} kB`,
        'at most 60 kB',
      ],
      ['package', `${Math.round(bytes / 1024)} KiB`, ''],
      [
        'node-exporter',
        nodeExporter === null
          ? 'not installed'
          : `${(nodeExporter.rssKib / 1024).toFixed(1)} MiB, ${nodeExporter.cpuMsPerScrape} ms a scrape`,
        '',
      ],
      ['lynis, one audit', lynis === null ? 'not installed' : `${lynis.cpuSeconds} s of CPU`, ''],
    ]
    return {
      result: {
        goals: GOALS,
        perDay,
        steady,
        rest,
        narrowBand,
        withoutTimestamps,
        packageBytes: bytes,
        peers,
      },
      rows,
    }
  },
}
