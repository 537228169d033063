import { describe, expect, test } from 'vitest'
import { firewallSensor } from '../../../agent/sensors/firewall.ts'
import type { CommandId } from '../../../agent/sensors/commands.ts'
import { printing } from '../../support/access-tree.ts'
import { treeHost, type Tree } from '../../support/host-tree.ts'
import { chain, FLUSHED, nftJson, rule, RULES } from '../../support/nft-json.ts'
import { findingsBetween } from '../../support/section-findings.ts'

type Outputs = Partial<Record<CommandId, string>>
const NO_LEGACY: Tree = { '/proc/net/dev': '' }
const CONFIGURED: Tree = { ...NO_LEGACY, '/etc/nftables.conf': 'flush ruleset\n' }

const reading = (outputs: Outputs, tree: Tree = CONFIGURED) =>
  Promise.resolve(firewallSensor.measure(treeHost(tree, { run: printing(outputs) })))
const nft = (...objects: object[]): Outputs => ({ 'nft-ruleset': nftJson(...objects) })
const findingsOf = async (before: Outputs, after: Outputs, tree?: Tree) =>
  findingsBetween('firewall', await reading(before), await reading(after, tree))

const replaced = (from: object, ...to: object[]): Outputs => nft(...RULES.flatMap((one) => (one === from ? to : [one])))
const [, input, forward, , ssh] = RULES as [object, object, object, object, object]

describe('of a gateway whose rules were approved, exactly one finding', () => {
  test.each([
    ['the firewall flushed', nft(...FLUSHED), 'firewall.off input'],
    [
      'its rules flushed and its policy accept',
      nft(RULES[0] as object, chain('input', 'accept')),
      'firewall.off input',
    ],
    ['its table dormant', nft(...RULES.map(dormant)), 'firewall.off input'],
    ['a rule added', nft(...RULES, rule('input', { accept: null })), 'firewall.rules-changed rules nf_tables'],
    ['a rule removed', replaced(ssh), 'firewall.rules-changed rules nf_tables'],
    [
      'a rule for another port',
      replaced(ssh, rule('input', { match: { op: '==', left: 'dport', right: 23 } }, { accept: null })),
      'firewall.rules-changed rules nf_tables',
    ],
    [
      'the policy of what is forwarded weakened',
      replaced(forward, chain('forward', 'accept')),
      'firewall.policy-weakened policy forward',
    ],
    ['a set added', nft(...RULES, set('allowed')), 'firewall.rules-changed rules nf_tables'],
    ['no longer read', {}, 'firewall.not-readable input'],
    ['cut off', { 'nft-ruleset': nftJson(...RULES).slice(0, -2) }, 'firewall.not-readable input'],
  ] as [string, Outputs, string][])('%s', async (_, after, expected) => {
    expect(await findingsOf(nft(...RULES), after)).toEqual([expected])
  })

  test('the policy of what comes in weakened, while rules still drop some', async () => {
    const drops = rule('input', { drop: null })
    const before = nft(...RULES, drops)
    const after = nft(...RULES.map((one) => (one === input ? chain('input', 'accept') : one)), drops)
    expect(await findingsOf(before, after)).toEqual(['firewall.policy-weakened policy input'])
    expect(await findingsOf(after, before)).toEqual(['firewall.rules-changed policy input'])
  })

  test('a firewall of one family of addresses flushed', async () => {
    const of = (...families: string[]) =>
      nft(...families.flatMap((family) => RULES.map((one) => withFamily(one, family))))
    expect(await findingsOf(of('ip', 'ip6'), of('ip'))).toEqual(['firewall.off input ipv6'])
    expect(await findingsOf(of('ip', 'ip6'), of())).toEqual(['firewall.off input'])
    expect(await findingsOf(of(), of('ip'))).toEqual(['firewall.rules-changed input'])
  })

  test('the configuration alone changed', async () => {
    const after: Tree = { ...CONFIGURED, '/etc/nftables.conf': '# nothing\n' }
    expect(await findingsOf(nft(...RULES), nft(...RULES), after)).toEqual([
      'firewall.configuration-changed configuration',
    ])
    expect(await findingsOf(nft(...RULES), nft(...FLUSHED), after)).toEqual(['firewall.off input'])
    expect(await findingsOf(nft(...RULES), replaced(ssh), after)).toEqual(['firewall.rules-changed rules nf_tables'])
  })

  test('a file of very many changed', async () => {
    const files = (last: string): Tree => ({
      ...NO_LEGACY,
      ...Object.fromEntries(
        Array.from({ length: 100 }, (_, n) => [`/etc/nftables.d/${100 + n}.nft`, `add rule ${n}\n`]),
      ),
      '/etc/nftables.d/zz.nft': last,
    })
    const found = await findingsBetween(
      'firewall',
      await reading(nft(...RULES), files('drop\n')),
      await reading(nft(...RULES), files('accept\n')),
    )
    expect(found).toEqual(['firewall.configuration-changed configuration'])
  })

  test('none where only handles, counters, guests of sets and the order of tables differ', async () => {
    const bad = (...elem: unknown[]) => ({ set: { family: 'inet', name: 'bad', table: 'filter', type: 'a', elem } })
    const counter = (packets: number) => rule('input', { counter: { packets, bytes: packets * 2 } })
    const table = { table: { family: 'ip', name: 'nat', handle: 9 } }
    const before = nft(...RULES, counter(1), bad('b', 'a', { elem: { val: 'c', timeout: 9, expires: 3 } }), table)
    const after = nft(table, ...RULES.map(withHandle), counter(7), bad('a', 'b', { elem: { val: 'd', expires: 1 } }))
    expect(await findingsOf(before, after)).toEqual([])
  })
})

const SAVED = '*filter\n:INPUT DROP [1:2]\n:FORWARD ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n'
const OPEN = '*filter\n:INPUT ACCEPT [1:2]\n:FORWARD ACCEPT [0:0]\nCOMMIT\n'
const LEGACY: Tree = { '/proc/net/ip_tables_names': 'filter\n', '/proc/net/ip6_tables_names': 'filter\n' }

test('the old tables flushed, which nft does not show, are one finding', async () => {
  const of = (saved: string): Outputs => ({ ...nft(), 'iptables-legacy': saved, 'ip6tables-legacy': saved })
  const found = await findingsBetween('firewall', await reading(of(SAVED), LEGACY), await reading(of(OPEN), LEGACY))
  expect(found).toEqual(['firewall.off input'])
})

test('without nft, what iptables tells stands in for it', async () => {
  const of = (saved: string): Outputs => ({ 'iptables-nft': saved, 'ip6tables-nft': saved })
  expect(await findingsOf(of(SAVED), of(OPEN))).toEqual(['firewall.off input'])
  expect(await findingsOf(of(SAVED), of(SAVED.replace('-i lo', '-i eth0')))).toEqual([
    'firewall.rules-changed rules nf_tables',
  ])
  expect(await findingsOf(of(SAVED), of(SAVED.replaceAll(/\[.*?\]/g, '[9:9]')))).toEqual([])
})

function set(name: string): object {
  return { set: { family: 'inet', name, table: 'filter', type: 'ipv4_addr', handle: 3, elem: ['192.0.2.1'] } }
}

function changed(one: object, change: object): object {
  return Object.fromEntries(Object.entries(one).map(([kind, fields]) => [kind, { ...(fields as object), ...change }]))
}

function dormant(one: object): object {
  return 'table' in one ? changed(one, { flags: 'dormant' }) : one
}

function withFamily(one: object, family: string): object {
  return changed(one, { family })
}

function withHandle(one: object): object {
  return changed(one, { handle: 4711 })
}
