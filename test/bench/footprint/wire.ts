import { spawnSync } from 'node:child_process'

/** What went to and from one port so far: IP packets with their headers. */
export interface WireCount {
  readonly packets: number
  readonly bytes: number
}

const TABLE = 'keepseal_bench'

/**
 * Counts in this network namespace alone, where each packet on loopback leaves once. What is larger than the usual
 * packet of Ethernet is not sent in one piece here either.
 */
export function countPort(port: number): void {
  run('ip', ['link', 'set', 'lo', 'mtu', '1500', 'up'])
  const rules = ['dport', 'sport'].map((side) => `add rule inet ${TABLE} out tcp ${side} ${port} counter name wire`)
  run(
    'nft',
    ['-f', '-'],
    [
      `add table inet ${TABLE}`,
      `add counter inet ${TABLE} wire`,
      `add chain inet ${TABLE} out { type filter hook output priority 0; policy accept; }`,
      ...rules,
      '',
    ].join('\n'),
  )
}

export function wireCount(): WireCount {
  const { nftables } = JSON.parse(run('nft', ['--json', 'list', 'counter', 'inet', TABLE, 'wire'])) as {
    readonly nftables: readonly { readonly counter?: WireCount }[]
  }
  const counter = nftables.find((each) => each.counter !== undefined)?.counter
  if (counter === undefined) throw new Error('nft has lost its counter')
  return { packets: counter.packets, bytes: counter.bytes }
}

export const since = (now: WireCount, before: WireCount): WireCount => ({
  packets: now.packets - before.packets,
  bytes: now.bytes - before.bytes,
})

function run(program: string, parameters: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, { encoding: 'utf8', input })
  if (status !== 0) throw new Error(`${program} ${parameters.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}
