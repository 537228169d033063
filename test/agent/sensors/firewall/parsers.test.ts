import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseBoundedJson } from '../../../../agent/sensors/firewall/bounded-json.ts'
import { parseIptablesSave } from '../../../../agent/sensors/firewall/iptables.ts'
import { parseNftRuleset } from '../../../../agent/sensors/firewall/nft.ts'
import { filtersInput, rulesetOf, type ParsedRuleset } from '../../../../agent/sensors/firewall/ruleset.ts'
import type { Observation } from '../../../../shared/posture/observation.ts'
import { chain, nftJson, rule, RULES, table } from '../../../support/nft-json.ts'

function valueOf<T>(observed: Observation<T>): T {
  if ('missing' in observed) throw new Error(observed.missing)
  return observed.value
}

const nft = (...objects: object[]) => valueOf(parseNftRuleset(nftJson(...objects)))
const filters = (...objects: object[]) => filtersInput(nft(table, ...objects), 'ipv4')
const digestOf = (...objects: object[]) => rulesetOf(nft(...objects)).digest

const input = chain('input', 'accept')
const verdictMap = (elem: unknown) => ({ map: { family: 'inet', name: 'm', table: 'filter', map: 'verdict', elem } })

describe('what comes in is filtered', () => {
  test.each([
    ['a rule that drops', [input, rule('input', { drop: null })]],
    ['a rule that rejects', [input, rule('input', { reject: { type: 'icmpx' } })]],
    ['a policy of drop', [chain('input', 'drop')]],
    [
      'a chain that the hook leads to',
      [input, chain('a'), rule('input', { jump: { target: 'a' } }), rule('a', { drop: null })],
    ],
    ['an anonymous verdict map', [input, rule('input', { vmap: { key: 1, data: { set: [[7, { drop: null }]] } } })]],
    [
      'a named verdict map',
      [input, rule('input', { vmap: { key: 1, data: '@m' } }), verdictMap([[80, { drop: null }]])],
    ],
    [
      'a chain that a named map leads to',
      [
        input,
        chain('a'),
        rule('a', { drop: null }),
        rule('input', { vmap: { key: 1, data: '@m' } }),
        verdictMap([[80, { goto: { target: 'a' } }]]),
      ],
    ],
    ['a target of iptables', [input, rule('input', { xt: { type: 'target', name: 'REJECT' } })]],
  ] as [string, object[]][])('by %s', (_, objects) => {
    expect(filters(...objects)).toBe(true)
  })

  test.each([
    ['nothing', []],
    ['rules that accept', [input, rule('input', { accept: null })]],
    ['a chain that nothing leads to', [input, chain('a'), rule('a', { drop: null })]],
    ['chains that lead to each other', [input, rule('input', { jump: { target: 'input' } })]],
    ['a chain that is not there', [input, rule('input', { jump: { target: 'b' } })]],
    ['a rule for what is forwarded', [chain('forward', 'drop')]],
    ['a rule that names a chain "drop"', [input, rule('input', { match: { right: 'drop' } })]],
  ] as [string, object[]][])('not by %s', (_, objects) => {
    expect(filters(...objects)).toBe(false)
  })

  test('of the families of its table alone', () => {
    const ruleset = nft({
      chain: { family: 'ip', table: 'f', name: 'i', type: 'filter', hook: 'input', policy: 'drop' },
    })
    expect([filtersInput(ruleset, 'ipv4'), filtersInput(ruleset, 'ipv6')]).toEqual([true, false])
  })
})

test('a quota and a limit are what they allow, not what they have counted', () => {
  const quota = (bytes: number, used: number) => ({
    quota: { family: 'inet', table: 'filter', name: 'q', bytes, used },
  })
  expect(digestOf(quota(5, 1))).toBe(digestOf(quota(5, 3)))
  expect(digestOf(quota(5, 1))).not.toBe(digestOf(quota(6, 1)))
})

test('a table whose flags are not told may be switched off: nft 1.0.6 prints freed memory there', () => {
  const of = (flags: unknown) => nft({ table: { ...table.table, flags } }, chain('input', 'drop'))
  expect(
    [['dormant'], 'dormant', 'filter', 'x', ['owner', 'dormant']].map((flags) => filtersInput(of(flags), 'ipv4')),
  ).toEqual([false, false, false, false, false])
  expect([[], ['owner'], 'owner'].map((flags) => filtersInput(of(flags), 'ipv4'))).toEqual([true, true, true])
  expect(rulesetOf(of('filter'))).toEqual(rulesetOf(of('\u0001')))
})

test('the order of rules is part of them, that of everything else is not', () => {
  const [one, other] = [rule('input', { accept: null }), rule('input', { drop: null })]
  expect(digestOf(input, one, other)).not.toBe(digestOf(input, other, one))
  expect(digestOf(...RULES)).toBe(digestOf(...RULES.slice(3), ...RULES.slice(0, 3).toReversed()))
})

describe('refused: what is not wholly understood is not known', () => {
  test.each([
    ['nothing', '', 'malformed'],
    ['an error text', 'Error: Could not process rule', 'malformed'],
    ['another document', '{"other": []}', 'malformed'],
    ['a list', '[]', 'malformed'],
    ['an entry that is none', '{"nftables": [7]}', 'malformed'],
    ['an entry of two kinds', nftJson({ table: { family: 'ip' }, chain: { family: 'ip' } }), 'malformed'],
    ['a rule of a chain that is not there', nftJson(table, rule('x', { drop: null })), 'malformed'],
    ['a chain without a name', nftJson({ chain: { family: 'ip', table: 'a' } }), 'malformed'],
    ['an end that is missing', nftJson(...RULES).slice(0, -1), 'malformed'],
    ['8 MiB of brackets', '['.repeat(8 * 1024 * 1024), 'too-large'],
    ['8 MiB of nested objects', '{"a":'.repeat(1_600_000), 'too-large'],
    ['8 MiB of empty lists', `{"nftables": [${'[],'.repeat(2_700_000)}[]]}`, 'too-large'],
    ['a string without an end', `{"nftables": ["${'\\"'.repeat(1000)}`, 'malformed'],
  ] as [string, string, string][])('%s', (_, text, missing) => {
    const started = process.cpuUsage()
    expect(parseNftRuleset(text)).toEqual({ missing })
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000)
  })

  test.each([
    ['no table', '-A INPUT -j DROP\n'],
    ['no end', '*filter\n:INPUT DROP [0:0]\n'],
    ['a rule of no chain', '*filter\n-A INPUT -j DROP\nCOMMIT\n'],
    ['a chain without a policy', '*filter\n:INPUT\nCOMMIT\n'],
    ['an error text', 'iptables-save: Permission denied\n'],
  ])('%s of iptables', (_, text) => {
    expect(parseIptablesSave(text, 'ip')).toEqual({ missing: 'malformed' })
  })
})

const iptables = (...rules: string[]): ParsedRuleset =>
  valueOf(parseIptablesSave(`# x\n*filter\n:INPUT ACCEPT [1:2]\n:a - [0:0]\n${rules.join('\n')}\nCOMMIT\n# y\n`, 'ip'))

test.each([
  ['-A INPUT -j DROP', true],
  ['-A INPUT -p tcp -j REJECT --reject-with tcp-reset', true],
  ['-A INPUT -m comment --comment "-j DROP" -j ACCEPT', false],
  ['-A INPUT -m comment --comment "a \\" -j DROP" -j ACCEPT', false],
  ['-A INPUT -g a\n-A a -j DROP', true],
  ['-A a -j DROP', false],
])('iptables: %j filters %s', (text, expected) => {
  expect(filtersInput(iptables(text), 'ipv4')).toBe(expected)
  expect(filtersInput(iptables(text), 'ipv6')).toBe(false)
})

describe('properties', () => {
  const json = fc.jsonValue({ maxDepth: 4 })

  test('any JSON is parsed as JSON.parse does, and any text ends in a reason', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value)
        expect(parseBoundedJson(text)).toEqual({ value: JSON.parse(text) })
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\a1 ') }), (text) => {
        const read = parseBoundedJson(text)
        if ('missing' in read) expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError)
        else expect(read.value).toEqual(JSON.parse(text))
      }),
    )
  })

  test('whatever stands in a ruleset, it is read or refused, and read the same again', () => {
    const object = fc.record({ family: fc.constantFrom('ip', 'inet'), table: json, name: json, elem: json, expr: json })
    const entry = fc.tuple(fc.constantFrom('table', 'chain', 'rule', 'set', 'x'), object)
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const text = nftJson(...entries.map(([kind, fields]) => ({ [kind]: fields })))
        const read = parseNftRuleset(text)
        if ('missing' in read) return
        expect(rulesetOf(read.value)).toEqual(rulesetOf(valueOf(parseNftRuleset(text))))
        expect(filtersInput(read.value, 'ipv4')).toBe(false)
      }),
    )
  })

  test('two rules differ in the digest, unless they are the same', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
        expect(digestOf(input, rule('input', { a: one })) === digestOf(input, rule('input', { a: other }))).toBe(same)
      }),
    )
  })

  test('any text of iptables is read or refused', () => {
    const line = fc.constantFrom(
      '*filter',
      ':INPUT DROP [0:0]',
      ':a - [0:0]',
      '-A INPUT -j a',
      '-A a "b',
      'COMMIT',
      'x',
    )
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const read = parseIptablesSave(lines.join('\n'), 'ip6')
        if ('value' in read) expect(rulesetOf(read.value).chains.length).toBeLessThanOrEqual(2)
      }),
    )
  })
})

/** Keys in order, and what has none is nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.length === 0 ? null : Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]))
}
