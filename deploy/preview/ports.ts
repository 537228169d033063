import { createServer } from 'node:net'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

export interface PreviewPorts {
  readonly https: number
  readonly plain: number
  readonly mqtt: number
  readonly metrics: number
  /** Where the link is that logs in. */
  readonly link: number
  /** The software TPM takes this one and the next. */
  readonly tpm: number
}

const WANTED: PreviewPorts = { https: 8443, plain: 8080, mqtt: 8883, metrics: 9464, link: 8090, tpm: 2421 }

/**
 * The same ports at every start, since they are listeners on this machine and so a part of its approved posture: the
 * usual ones where they are free at the first start, others where they are not.
 */
export async function choosePorts(file: string): Promise<PreviewPorts> {
  // One of an earlier version may lack some.
  const ports = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>) : {}
  const taken = new Set<number>(Object.values(ports))
  for (const [name, wanted] of Object.entries(WANTED)) {
    if (ports[name] !== undefined) continue
    let port = wanted
    const wide = name === 'tpm'
    while (taken.has(port) || !(await isFree(port)) || !(await isFree(wide ? port + 1 : port))) port += 10
    taken.add(port).add(port + 1)
    ports[name] = port
  }
  writeFileSync(file, JSON.stringify(ports))
  return ports as unknown as PreviewPorts
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
