import { spawnSync } from 'node:child_process'

/** What one connection has carried so far, both ways. */
export interface TcpUsage {
  readonly localPort: number
  readonly payloadBytes: number
  readonly packets: number
  readonly ipBytes: number
}

/** IPv4 (RFC 791) and TCP (RFC 9293) without options, and the timestamps (RFC 7323) that Linux puts on each segment. */
const HEADER_BYTES = 20 + 20 + 12

/** From the kernel's own counts of segments and bytes (tcp_info, by ss(8)): each segment is an IP packet here. */
export function tcpUsage(pid: number, port: number): TcpUsage {
  const { stdout } = spawnSync('ss', ['-Htinp', 'state', 'established', `dport = :${port}`], { encoding: 'utf8' })
  // Two lines a connection: addresses and owner, then the figures.
  const [head = '', figures = ''] =
    stdout
      .split(/\n(?=\S)/)
      .find((each) => each.includes(`pid=${pid},`))
      ?.split('\n') ?? []
  const local = /:(\d+)\s+\S+:\d+/.exec(head)?.[1]
  if (local === undefined) throw new Error('the agent is not connected')
  const value = (name: string): number => Number(new RegExp(`\\b${name}:(\\d+)`).exec(figures)?.[1] ?? 0)
  const payloadBytes = value('bytes_sent') + value('bytes_received')
  const packets = value('segs_out') + value('segs_in')
  return { localPort: Number(local), payloadBytes, packets, ipBytes: payloadBytes + packets * HEADER_BYTES }
}
