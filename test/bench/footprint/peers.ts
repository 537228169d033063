import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMsOf } from '../../support/process-cpu.ts'
import { runCounted } from '../child-cpu.ts'

export interface Peers {
  readonly nodeExporter: { readonly rssKib: number; readonly cpuMsPerScrape: number } | null
  readonly lynis: { readonly cpuSeconds: number } | null
}

const SCRAPES = 20
const LYNIS_TIMEOUT_MS = 900_000

/** What others take on this machine, where they are installed. They look at other things. */
export async function measurePeers(): Promise<Peers> {
  return { nodeExporter: await measureNodeExporter(), lynis: measureLynis() }
}

/** Null also where it does not come to its end in time: what takes minutes to measure is not thrown away for that. */
function measureLynis(): Peers['lynis'] {
  if (spawnSync('lynis', ['show', 'version']).status !== 0) return null
  const quiet = ['--quick', '--quiet', '--no-colors', '--logfile', '/dev/null', '--report-file', '/dev/null']
  try {
    // Its exit code tells of what it found.
    const { cpuMs } = runCounted(['lynis', 'audit', 'system', ...quiet], LYNIS_TIMEOUT_MS)
    return { cpuSeconds: cpuMs / 1000 }
  } catch {
    return null
  }
}

async function measureNodeExporter(): Promise<Peers['nodeExporter']> {
  const program = 'prometheus-node-exporter'
  if (spawnSync(program, ['--version']).error !== undefined) return null
  const url = `http://127.0.0.1:${await freePort()}/metrics`
  const child = spawn(program, [`--web.listen-address=${new URL(url).host}`], { stdio: 'ignore' })
  try {
    const scrape = async (): Promise<boolean> =>
      fetch(url).then(
        async (response) => (await response.text()).length > 0,
        () => false,
      )
    for (let tries = 0; !(await scrape()); tries++) {
      if (tries > 100) return null
      await sleep(100)
    }
    const pid = child.pid ?? 0
    const before = cpuMsOf(pid).own
    for (let i = 0; i < SCRAPES; i++) {
      await scrape()
      await sleep(500)
    }
    const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return { rssKib: Number(rss), cpuMsPerScrape: (cpuMsOf(pid).own - before) / SCRAPES }
  } finally {
    child.kill('SIGKILL')
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
