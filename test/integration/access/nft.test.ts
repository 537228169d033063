import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../agent/sensors/commands.ts'
import { firewallSensor } from '../../../agent/sensors/firewall.ts'
import { printing } from '../../support/access-tree.ts'
import { treeHost } from '../../support/host-tree.ts'
import { findingsBetween } from '../../support/section-findings.ts'

const [NFT] = COMMANDS['nft-ruleset'].paths
const asRoot = process.geteuid?.() === 0 ? [] : ['--map-root-user']
const MARK = '\n=== next ===\n'

/** What nft lists in a network namespace of its own, after each of some steps that are scripts for nft. */
function rulesets(...steps: readonly string[]): string[] {
  const list = [NFT, ...COMMANDS['nft-ruleset'].args].join(' ')
  const script = steps.map((_, index) => `${NFT} -f - <<< "$${index + 1}" && ${list} && printf '${MARK}'`).join(' && ')
  const args = [...asRoot, '--net', 'bash', '-c', script, 'bash', ...steps]
  const run = spawnSync('unshare', args, { encoding: 'latin1' })
  if (run.status !== 0) throw new Error(run.error?.message ?? run.stderr)
  return run.stdout.split(MARK).slice(0, -1)
}

const why = ((): string | undefined => {
  try {
    rulesets('')
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
})()

const RULES = `
table inet filter {
  set bad { type ipv4_addr; flags timeout; elements = { 10.0.0.1 timeout 1h, 10.0.0.2 } }
  set seen { type ipv4_addr; flags dynamic,timeout; timeout 1m; }
  map ports { type inet_service : verdict; elements = { 22 : accept, 80 : drop } }
  counter hits { packets 5 bytes 7 }
  chain more {
    counter packets 4 bytes 8
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    tcp dport { 22, 443 } counter accept comment "ssh"
    ip saddr @bad drop
    tcp dport 99 add @seen { ip saddr }
    tcp dport vmap @ports
    limit rate 5/second accept
    quota over 10 mbytes drop
    counter name hits
    jump more
  }
  chain forward {
    type filter hook forward priority 10; policy drop;
  }
}
table ip nat {
  chain post {
    type nat hook postrouting priority srcnat;
    oifname "eth0" masquerade
  }
}
`

const reading = (ruleset: string) =>
  Promise.resolve(
    firewallSensor.measure(treeHost({ '/proc/net/dev': '' }, { run: printing({ 'nft-ruleset': ruleset }) })),
  )

describe.skipIf(why !== undefined)(
  `the rules that nft lists in a namespace of its own${why === undefined ? '' : ` (skipped: ${why.trim()})`}`,
  () => {
    test.each([
      ['flush ruleset', ['firewall.off input']],
      ['delete table inet filter', ['firewall.off input']],
      ['chain inet filter forward { policy accept; }', ['firewall.policy-weakened policy forward']],
      ['chain inet filter input { policy accept; }', ['firewall.policy-weakened policy input']],
      ['add rule inet filter input tcp dport 23 accept', ['firewall.rules-changed rules nf_tables']],
      ['insert rule inet filter input accept', ['firewall.rules-changed rules nf_tables']],
      ['flush table ip nat', ['firewall.rules-changed rules nf_tables']],
      ['add element inet filter bad { 10.0.0.9 }', ['firewall.rules-changed rules nf_tables']],
      ['table inet filter { flags dormant; }', ['firewall.off input']],
      ['add element inet filter bad { 10.0.0.8 timeout 5m }', []],
      ['add element inet filter seen { 10.0.0.7 }', []],
      [`flush ruleset\n${RULES}`, []],
    ])('%j is as many findings as it should be', async (step, expected) => {
      const [before = '', after = ''] = rulesets(RULES, step)
      expect(await findingsBetween('firewall', await reading(before), await reading(after))).toEqual(expected)
    })

    test('a namespace without rules filters nothing, and that is known', async () => {
      const [none = ''] = rulesets('')
      expect(await reading(none)).toMatchObject({
        content: { input: { ipv4: { value: 'open' }, ipv6: { value: 'open' } } },
      })
    })
  },
)
