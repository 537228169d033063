import type { Observation } from '../../shared/posture/observation.ts'
import { tellsOf, type InputFilter, type RuleSource, type Ruleset } from '../../shared/posture/sections/firewall.ts'
import type { CommandId } from './commands.ts'
import { configurationIdentity, CONFIGURATION_READS, readConfiguration } from './firewall/configuration.ts'
import { parseIptablesSave } from './firewall/iptables.ts'
import { parseNftRuleset } from './firewall/nft.ts'
import { filtersInput, rulesetOf, type ParsedRuleset } from './firewall/ruleset.ts'
import type { Host } from './host.ts'
import { observed } from './observe.ts'
import type { Reading, Sensor } from './sensor.ts'

const EMPTY: ParsedRuleset = { chains: [], objects: [] }

type Sources = Map<RuleSource, Observation<ParsedRuleset>>

/** Rules belong to a network namespace: those of another one than the system's own would say nothing about it. */
function isElsewhere(host: Host): boolean {
  const [own, systems] = ['/proc/self/ns/net', '/proc/1/ns/net'].map((path) => host.readLink(path))
  return own?.status === 'found' && systems?.status === 'found' && own.value !== systems.value
}

async function read<T>(host: Host, command: CommandId, parse: (text: string) => Observation<T>) {
  if (isElsewhere(host)) return { missing: 'no-permission' } as const
  return observed(await host.run(command), parse)
}

/** The old tables: where the kernel has none, no program is needed to know that. */
async function readLegacy(host: Host, command: 'iptables-legacy' | 'ip6tables-legacy', family: 'ip' | 'ip6') {
  const names = host.readText(`/proc/net/${family}_tables_names`, 4096)
  const hasProcNet = host.stat('/proc/net').status === 'found'
  if (names.status === 'found' ? names.value === '' : names.status === 'absent' && hasProcNet) return { value: EMPTY }
  return read(host, command, (text) => parseIptablesSave(text, family))
}

async function readSources(host: Host): Promise<Sources> {
  const sources: Sources = new Map()
  const nft = await read(host, 'nft-ruleset', parseNftRuleset)
  const needsIptables = 'missing' in nft ? nft.missing === 'absent' : nft.value.hasExtensions
  if (needsIptables) {
    for (const [source, family] of [
      ['iptables-nft', 'ip'],
      ['ip6tables-nft', 'ip6'],
    ] as const) {
      sources.set(source, await read(host, source, (text) => parseIptablesSave(text, family)))
    }
  }
  // Where there is no nft, what iptables tells of the same tables stands in for it.
  const hasSubstitute = [...sources.values()].some((source) => 'value' in source)
  if (!('missing' in nft && nft.missing === 'absent' && hasSubstitute)) sources.set('nftables', nft)
  sources.set('iptables-legacy', await readLegacy(host, 'iptables-legacy', 'ip'))
  sources.set('ip6tables-legacy', await readLegacy(host, 'ip6tables-legacy', 'ip6'))
  return sources
}

/** One that filters is enough; that none does is known only where all could be read. */
function inputFilter(sources: Sources, family: 'ipv4' | 'ipv6'): InputFilter {
  const all = [...sources].filter(([source]) => tellsOf(source, family)).map(([, rules]) => rules)
  if (all.some((source) => 'value' in source && filtersInput(source.value, family))) return { value: 'filtered' }
  return all.find((source) => 'missing' in source) ?? { value: 'open' }
}

const shown = (source: Observation<ParsedRuleset>): Observation<Ruleset> =>
  'missing' in source ? source : { value: rulesetOf(source.value) }

async function measure(host: Host): Promise<Reading<'firewall'>> {
  const sources = await readSources(host)
  return {
    status: 'measured',
    content: {
      input: { ipv4: inputFilter(sources, 'ipv4'), ipv6: inputFilter(sources, 'ipv6') },
      rulesets: [...sources].map(([source, rules]) => ({ source, rules: shown(rules) })),
      configuration: readConfiguration(host),
    },
  }
}

export const firewallSensor: Sensor<'firewall'> = {
  id: 'firewall',
  title: 'firewall rules in force, and whether anything filters what comes in',
  section: 'firewall',
  reads:
    'the output of nft, iptables-nft-save (for extensions, or without nft) and iptables-legacy-save, each of both ' +
    `families; /proc/net/ip_tables_names, /proc/net/ip6_tables_names; ${CONFIGURATION_READS}`,
  needs:
    'CAP_NET_ADMIN for the rules, in the network namespace of the system: only keepseal-measure runs these commands. ' +
    'The agent alone sees the configuration, and that the kernel has no tables of the old kind',
  blindSpots:
    'filters at other hooks than input (prerouting, ingress, XDP, tc), which count as rules and not as a filter; ' +
    'options of extensions where iptables-nft-save is missing; elements of sets that packets fill or that time out; ' +
    'files that the configuration includes; rules in other network namespaces, as of containers; whether a rule that ' +
    'drops is ever reached; addresses and interface names are part of the rules, so a unit with its own has its own ' +
    'digest',
  budget: { cpuMs: 10 },
  remedy: 'Let keepseal-measure run, without a network namespace of its own, and install nftables on the gateway.',
  privileged: true,
  glance: configurationIdentity,
  measure,
}
