import * as v from 'valibot'
import type { FindingCode } from '../../codes/findings.ts'
import { describe, MISSING, observation, type Observation } from '../observation.ts'
import { keyOf, sortedTexts, sortedUnique, type Fact, type SectionDefinition } from '../section-definition.ts'
import { count, digest, text } from '../text.ts'

export const MAX_CHAINS = 256
export const MAX_OBJECTS = 256
export const MAX_CONFIGURATION_FILES = 64

/**
 * Who tells rules. nftables shows all that is in force but the old tables; iptables over nftables is asked for what
 * nftables cannot spell out, or where there is no nft.
 */
export const RULE_SOURCES = [
  'nftables',
  'iptables-nft',
  'ip6tables-nft',
  'iptables-legacy',
  'ip6tables-legacy',
] as const
export type RuleSource = (typeof RULE_SOURCES)[number]

export const FIREWALL_MANAGERS = ['nftables', 'ufw', 'firewalld', 'iptables', 'openwrt'] as const
export type FirewallManager = (typeof FIREWALL_MANAGERS)[number]

export const MAX_DEVICES = 16

/** Of the kernel's own words. */
const WORD = text(32)
const NAME = text(128)

const baseSchema = v.strictObject({
  type: WORD,
  hook: WORD,
  /** iptables does not tell it. */
  priority: v.exactOptional(v.pipe(v.number(), v.safeInteger())),
  policy: v.picklist(['accept', 'drop']),
  devices: v.pipe(v.array(WORD), v.maxLength(MAX_DEVICES)),
})

const chainSchema = v.strictObject({
  family: WORD,
  table: NAME,
  name: NAME,
  /** Where the kernel enters it; absent: only other chains do. */
  base: v.exactOptional(baseSchema),
  /** Its table is switched off, and so is the chain. */
  dormant: v.exactOptional(v.literal(true)),
  rules: count,
  /** SHA-256 of its rules in their order, without handles and counters. */
  digest,
})

/** A table, or what has a name in one: sets, maps, flow tables, limits. */
const objectSchema = v.strictObject({ kind: WORD, family: WORD, table: NAME, name: NAME, digest })

const rulesetSchema = v.strictObject({
  /** SHA-256 of all of it, also of what does not fit into the lists. */
  digest,
  chains: v.pipe(v.array(chainSchema), v.maxLength(MAX_CHAINS)),
  objects: v.pipe(v.array(objectSchema), v.maxLength(MAX_OBJECTS)),
})

/** `filtered`: a packet to this system can be dropped or refused, by a rule or by default. */
const inputSchema = observation(v.picklist(['filtered', 'open']))

const schema = v.strictObject({
  input: v.strictObject({ ipv4: inputSchema, ipv6: inputSchema }),
  rulesets: v.pipe(
    v.array(v.strictObject({ source: v.picklist(RULE_SOURCES), rules: observation(rulesetSchema) })),
    v.maxLength(RULE_SOURCES.length),
    v.check((all) => new Set(all.map(({ source }) => source)).size === all.length, 'a source that is told twice'),
  ),
  /** What sets the rules up at boot, by the files that it reads. */
  configuration: v.pipe(
    v.array(
      v.strictObject({
        manager: v.picklist(FIREWALL_MANAGERS),
        path: text(512),
        /** SHA-256 of its lines without comments; or why it could not be read. */
        content: v.union([digest, v.picklist(MISSING)]),
      }),
    ),
    v.maxLength(MAX_CONFIGURATION_FILES),
  ),
})

export type Chain = v.InferOutput<typeof chainSchema>
export type RulesetObject = v.InferOutput<typeof objectSchema>
export type Ruleset = v.InferOutput<typeof rulesetSchema>
export type FirewallContent = v.InferOutput<typeof schema>
export type InputFilter = FirewallContent['input']['ipv4']
export type ConfigurationFile = FirewallContent['configuration'][number]

/** Whether a source would tell rules for packets of this family. */
export const tellsOf = (source: RuleSource, family: Family): boolean =>
  source === 'nftables' || source.startsWith(family === 'ipv4' ? 'iptables' : 'ip6tables')

const FAMILIES = { ipv4: ['ip', 'inet'], ipv6: ['ip6', 'inet'] } as const
type Family = keyof typeof FAMILIES
const FAMILY_NAMES = Object.keys(FAMILIES) as readonly Family[]
const HOOKS = ['input', 'forward', 'output'] as const

const allKinds = (code: FindingCode) => ({ added: code, changed: code, removed: code })
const CHANGED = allKinds('firewall.rules-changed')
const NOT_READABLE = allKinds('firewall.not-readable')
const OFF = { ...CHANGED, added: 'firewall.off', changed: 'firewall.off' } as const
const WEAKENED = { ...CHANGED, added: 'firewall.policy-weakened', changed: 'firewall.policy-weakened' } as const

const codesOf = (input: InputFilter): Required<Fact>['codes'] =>
  'missing' in input ? NOT_READABLE : input.value === 'open' ? OFF : CHANGED

/** Whether anything filters at all: of one family is enough, so that a firewall that is switched off is one change. */
function anyInput({ ipv4, ipv6 }: FirewallContent['input']): InputFilter {
  const all = [ipv4, ipv6]
  const filtered = all.find((one) => 'value' in one && one.value === 'filtered')
  return filtered ?? all.find((one) => 'missing' in one) ?? ipv4
}

const quoted = (...names: readonly string[]): string => names.map((one) => JSON.stringify(one)).join(' ')

function chainText({ family, table, name, base, dormant, rules, digest: hash }: Chain): string {
  const how =
    base === undefined
      ? []
      : [
          `type ${quoted(base.type)} hook ${quoted(base.hook)}`,
          `priority ${base.priority ?? 'not told'}`,
          `policy ${base.policy}`,
          ...(base.devices.length === 0 ? [] : [`devices ${quoted(...base.devices)}`]),
        ]
  return [
    `chain ${quoted(family, table, name)}`,
    ...how,
    ...(dormant === true ? ['dormant'] : []),
    `${rules} rules`,
    hash,
  ].join(', ')
}

const objectText = ({ kind, family, table, name, digest: hash }: RulesetObject): string =>
  `${quoted(kind, family, table, name)} ${hash}`

const rulesText = (source: RuleSource, { digest: hash, chains, objects }: Ruleset): string =>
  [`${source} ${hash}`, ...chains.map(chainText), ...objects.map(objectText)].join('; ')

/** Strictest first. */
const POLICIES = ['drop', 'not known', 'accept'] as const
type Policy = (typeof POLICIES)[number]

/** What becomes of a packet that no rule has decided on: any chain that drops it has the last word. */
function policyOf({ rulesets }: FirewallContent, family: Family, hook: string): Policy {
  const families: readonly string[] = FAMILIES[family]
  const telling = rulesets.filter(({ source }) => tellsOf(source, family))
  const isDropping = ({ rules }: FirewallContent['rulesets'][number]): boolean =>
    'value' in rules &&
    rules.value.chains.some(
      ({ family: of, base, dormant }) =>
        families.includes(of) &&
        base?.type === 'filter' &&
        base.hook === hook &&
        base.policy === 'drop' &&
        dormant === undefined,
    )
  if (telling.some(isDropping)) return 'drop'
  return telling.some(({ rules }) => 'missing' in rules) ? 'not known' : 'accept'
}

const POLICY_CODES = { accept: WEAKENED, drop: CHANGED, 'not known': NOT_READABLE } as const

/** As with the input: what falls for both families of addresses is one change. */
function hookFacts(content: FirewallContent, hook: string): Fact[] {
  const subject = `policy ${hook}`
  const each = FAMILY_NAMES.map((family): Fact => {
    const value = policyOf(content, family, hook)
    const within = ['input', `input ${family}`, subject]
    return { subject: `${subject} ${family}`, value, codes: POLICY_CODES[value], within }
  })
  const value = POLICIES.find((one) => each.some((fact) => fact.value === one)) ?? 'accept'
  return [{ subject, value, codes: POLICY_CODES[value], within: ['input'] }, ...each]
}

/** Two sets of tables in the kernel, each of which one or more programs tell. */
const rulesSubject = (source: RuleSource): string => (source.endsWith('legacy') ? 'rules legacy' : 'rules nf_tables')

/**
 * Layers, of which the outer one takes the inner ones with it: whether anything is filtered, what happens by default,
 * which rules there are, and the configuration that they were made from.
 */
function facts(content: FirewallContent): Fact[] {
  const { input, rulesets, configuration } = content
  const any = anyInput(input)
  const inputs = FAMILY_NAMES.map((family): Fact => ({
    subject: `input ${family}`,
    value: describe(input[family]),
    codes: codesOf(input[family]),
    within: ['input'],
  }))
  const wholes = ['input', ...inputs.map(({ subject }) => subject)]
  const policies = HOOKS.flatMap((hook) => hookFacts(content, hook))
  const inner = [...wholes, ...policies.map(({ subject }) => subject)]
  const sources = rulesets.map(({ source, rules }): Fact => {
    const isRead = 'value' in rules
    const value = isRead ? 'read' : describe(rules)
    return { subject: `source ${source}`, value, codes: isRead ? CHANGED : NOT_READABLE, within: wholes }
  })
  return [
    { subject: 'input', value: describe(any), codes: codesOf(any) },
    ...inputs,
    ...policies,
    ...sources,
    ...rulesets.flatMap(({ source, rules }): Fact[] => {
      if ('missing' in rules) return []
      const within = [...inner, `source ${source}`]
      return [{ subject: rulesSubject(source), value: rulesText(source, rules.value), codes: CHANGED, within }]
    }),
    ...configuration.map((file): Fact => ({
      subject: 'configuration',
      value: `${file.manager} ${JSON.stringify(file.path)} ${file.content}`,
      codes: allKinds('firewall.configuration-changed'),
      within: [...inner, 'rules nf_tables', 'rules legacy'],
    })),
  ]
}

const canonicalRuleset = (ruleset: Ruleset): Ruleset => ({
  ...ruleset,
  chains: sortedUnique(
    ruleset.chains.map((chain) =>
      chain.base === undefined
        ? chain
        : { ...chain, base: { ...chain.base, devices: sortedTexts(chain.base.devices) } },
    ),
    (chain) => keyOf(chain.family, chain.table, chain.name, chainText(chain)),
  ),
  objects: sortedUnique(ruleset.objects, (one) => keyOf(one.kind, one.family, one.table, one.name, one.digest)),
})

const inEach = <T>(observed: Observation<T>, change: (value: T) => T): Observation<T> =>
  'missing' in observed ? observed : { value: change(observed.value) }

export const firewall: SectionDefinition<FirewallContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    rulesets: sortedUnique(
      content.rulesets.map(({ source, rules }) => ({ source, rules: inEach(rules, canonicalRuleset) })),
      ({ source }) => source,
    ),
    configuration: sortedUnique(content.configuration, (one) => keyOf(one.manager, one.path, one.content)),
  }),
  facts,
}
