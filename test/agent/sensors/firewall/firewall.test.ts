import { expect, test } from 'vitest'
import type { CommandId } from '../../../../agent/sensors/commands.ts'
import { firewallSensor } from '../../../../agent/sensors/firewall.ts'
import type { Host } from '../../../../agent/sensors/host.ts'
import { decodeSection, encodeSection } from '../../../../shared/posture/canonical.ts'
import { MAX_CHAINS } from '../../../../shared/posture/sections/firewall.ts'
import { printing } from '../../../support/access-tree.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'
import { chain, nftJson, rule, RULES } from '../../../support/nft-json.ts'
import { sha256 } from '../../../support/posture.ts'

async function contentOf(host: Host) {
  const reading = await firewallSensor.measure(host)
  if (reading.status !== 'measured') throw new Error(reading.status)
  expect(decodeSection('firewall', encodeSection('firewall', reading, sha256).bytes).status).toBe('measured')
  return reading.content
}

const hostWith = (outputs: Partial<Record<CommandId, string>>, tree: Tree = { '/proc/net/dev': '' }) =>
  treeHost(tree, { run: printing(outputs) })

test('the agent alone does not know whether anything is filtered, and says so', async () => {
  const { input, rulesets } = await contentOf(treeHost({ '/proc/net/dev': '' }))
  expect(input).toEqual({ ipv4: { missing: 'no-permission' }, ipv6: { missing: 'no-permission' } })
  expect(rulesets.map(({ source, rules }) => [source, 'missing' in rules ? rules.missing : 'read'])).toEqual([
    ['nftables', 'no-permission'],
    ['iptables-legacy', 'read'],
    ['ip6tables-legacy', 'read'],
  ])
})

test('base chains are told with hook, priority, policy and number of rules', async () => {
  const { input, rulesets } = await contentOf(hostWith({ 'nft-ruleset': nftJson(...RULES) }))
  expect(input).toEqual({ ipv4: { value: 'filtered' }, ipv6: { value: 'filtered' } })
  expect(rulesets[0]).toMatchObject({
    source: 'nftables',
    rules: {
      value: {
        chains: [
          { name: 'forward', base: { hook: 'forward', priority: 0, policy: 'drop' }, rules: 0 },
          { family: 'inet', table: 'filter', name: 'input', base: { type: 'filter', hook: 'input' }, rules: 2 },
        ],
        objects: [{ kind: 'table', family: 'inet', name: 'filter' }],
      },
    },
  })
})

test('without any program the rules are not known to be none', async () => {
  expect((await contentOf(hostWith({}))).input.ipv4).toEqual({ missing: 'absent' })
})

test('old tables that no program can tell are not known to be none', async () => {
  const tree = { '/proc/net/ip_tables_names': 'filter\n', '/proc/net/ip6_tables_names': '' }
  const { input } = await contentOf(hostWith({ 'nft-ruleset': nftJson() }, tree))
  expect(input).toEqual({ ipv4: { missing: 'absent' }, ipv6: { value: 'open' } })
})

test('rules of another network namespace than that of the system are not its rules', async () => {
  const tree = (own: string): Tree => ({
    '/proc/net/dev': '',
    '/proc/self/ns/net': { link: own },
    '/proc/1/ns/net': { link: 'net:[1]' },
  })
  const outputs = { 'nft-ruleset': nftJson() }
  expect((await contentOf(hostWith(outputs, tree('net:[2]')))).input.ipv4).toEqual({ missing: 'no-permission' })
  expect((await contentOf(hostWith(outputs, tree('net:[1]')))).input.ipv4).toEqual({ value: 'open' })
})

test('extensions of iptables, whose options nft does not show, are asked for', async () => {
  const extended = nftJson(chain('input', 'accept'), rule('input', { xt: { type: 'match', name: 'recent' } }))
  const saved = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m recent --seconds 60 -j DROP\nCOMMIT\n'
  const { rulesets } = await contentOf(hostWith({ 'nft-ruleset': extended, 'iptables-nft': saved }))
  expect(rulesets.map(({ source, rules }) => [source, 'missing' in rules])).toEqual([
    ['iptables-nft', false],
    ['ip6tables-nft', true],
    ['nftables', false],
    ['iptables-legacy', false],
    ['ip6tables-legacy', false],
  ])
})

test('what configures the firewall is told by its files, without comments and counters', async () => {
  const tree = {
    '/proc/net/dev': '',
    '/etc/nftables.conf': '# x\nflush ruleset\n',
    '/etc/iptables/rules.v4': ':INPUT DROP [1:2]\n',
    '/etc/firewalld/zones/public.xml': '<zone/>\n',
    '/etc/ufw/user.rules': 'x',
  }
  const host = hostWith({}, tree)
  const { configuration } = await contentOf(withoutPermission(host, '/etc/ufw/user.rules'))
  expect(configuration.map(({ manager, path }) => [manager, path])).toEqual([
    ['nftables', '/etc/nftables.conf'],
    ['ufw', '/etc/ufw/user.rules'],
    ['firewalld', '/etc/firewalld/zones/public.xml'],
    ['iptables', '/etc/iptables/rules.v4'],
  ])
  expect(configuration[1]?.content).toBe('no-permission')
  const other = await contentOf(hostWith({}, { ...tree, '/etc/iptables/rules.v4': '#\n:INPUT  DROP [9:9]' }))
  expect(other.configuration[3]).toEqual(configuration[3])
})

test('more chains than fit are in the digest, and the names of all are printable', async () => {
  const many = Array.from({ length: MAX_CHAINS + 50 }, (_, index) => chain(`\u001b[31m\n\xff${index}`))
  const outputs = (...more: object[]) => ({ 'nft-ruleset': nftJson(...many, ...more) })
  const [one, other] = [await contentOf(hostWith(outputs())), await contentOf(hostWith(outputs(chain('~~'))))]
  expect(one.rulesets[0]).not.toEqual(other.rulesets[0])
  expect(JSON.stringify(one)).toContain('\\\\x1b[31m\\\\x0a\\\\xff')
})
