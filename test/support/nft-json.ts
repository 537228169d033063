/** Rulesets as `nft --json --stateless --numeric list ruleset` prints them. */

export const nftJson = (...objects: readonly object[]): string =>
  JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6', json_schema_version: 1 } }, ...objects] })

const place = { family: 'inet', table: 'filter' }

export const table = { table: { family: 'inet', name: 'filter', handle: 1 } }

export const chain = (name: string, policy?: 'accept' | 'drop'): object => ({
  chain: {
    ...place,
    name,
    handle: 2,
    ...(policy === undefined ? {} : { type: 'filter', hook: name, prio: 0, policy }),
  },
})

export const rule = (of: string, ...expr: readonly object[]): object => ({
  rule: { ...place, chain: of, handle: 5, expr },
})

/** Nothing but answers and one port comes in, and nothing is forwarded. */
export const RULES: readonly object[] = [
  table,
  chain('input', 'drop'),
  chain('forward', 'drop'),
  rule('input', { match: { op: 'in', left: { ct: { key: 'state' } }, right: [2, 4] } }, { accept: null }),
  rule('input', { match: { op: '==', left: 'dport', right: 22 } }, { counter: null }, { accept: null }),
]

export const FLUSHED: readonly object[] = []
