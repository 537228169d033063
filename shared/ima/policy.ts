import { BOOT_AGGREGATE } from './constants.ts'
import { digestText } from './digests.ts'
import { pathMatcher } from './glob.ts'
import { parseImaSignature } from './signature.ts'
import type { ImaDigest, ImaProblem, ReplayedImaEntry, ReplayedMeasurement } from './types.ts'
import { violationsOf } from './violations.ts'

/** Somebody whose signature on a file allows the file. */
export interface ImaSigner {
  /** Last four bytes of the subject key identifier, 8 lower-case hexadecimal digits: a hint which key to try. */
  readonly keyId: string
  /** Whether `signature` is this key's over a digest that was computed before. Must not throw on what devices send. */
  readonly verify: (digest: ImaDigest, signature: Uint8Array) => boolean
}

/**
 * What may be measured. A path is what the device's root says it is: mounts, overlays and containers give any file any
 * path. So a path allows nothing by itself; it must come with one of the digests known for it, or with a signature.
 */
export interface ImaPolicy {
  /** The digests allowed at a path, as `digestText` (./digests.ts) writes them. */
  readonly allow: ReadonlyMap<string, ReadonlySet<string>>
  readonly signers: readonly ImaSigner[]
  /** Patterns (./glob.ts) of paths at which deviations are let pass, visibly. Whoever can write there is not watched. */
  readonly excludes: readonly string[]
}

/** What one pattern let pass. */
export interface ExcludedEntries {
  readonly pattern: string
  readonly entries: number
  /** Each path once, in the order of the list. */
  readonly paths: readonly string[]
}

/** `not-appraised`: no digest or signer allowed anything, and nothing was wrong either. It is never good. */
export type ImaVerdict = 'accepted' | 'refused' | 'not-appraised'

export interface ImaAppraisal {
  readonly verdict: ImaVerdict
  /** Entries that a digest allowed, and that a signature allowed by key id. */
  readonly allowedByDigest: number
  readonly allowedBySigner: ReadonlyMap<string, number>
  /** One for each pattern that let something pass; an entry counts at the first that covers it. */
  readonly excluded: readonly ExcludedEntries[]
  /** In the order of the list. */
  readonly problems: readonly ImaProblem[]
}

/**
 * Judges replayed entries. The boot aggregate at the start of a list is left to `checkBootAggregate`. A policy that
 * allows nothing judges nothing: its verdict is `not-appraised`, unless there are violations, or boot aggregates of
 * another boot, which are always wrong. `laterAggregates`: digests of boot aggregates over proven values, which a kernel
 * that kexec has started may add; asked for only where there is one.
 */
export function appraiseIma(
  entries: readonly ReplayedImaEntry[],
  policy: ImaPolicy,
  laterAggregates: () => readonly string[] = () => [],
): ImaAppraisal {
  const excludes = policy.excludes.map((pattern) => ({
    pattern,
    matches: pathMatcher(pattern),
    entries: 0,
    paths: new Set<string>(),
  }))
  const problems: ImaProblem[] = [...violationsOf(entries), ...laterAggregatesOf(entries, laterAggregates)]
  const allowedBySigner = new Map<string, number>()
  let allowedByDigest = 0
  const budget = { failures: MAX_FAILED_SIGNATURES }
  const isEmpty = policy.allow.size === 0 && policy.signers.length === 0
  for (const entry of isEmpty ? [] : entries) {
    if (entry.kind === 'violation' || entry.path === BOOT_AGGREGATE) continue
    const judgement = judge(entry, policy, budget)
    if (judgement === 'digest') {
      allowedByDigest++
      continue
    }
    if ('signer' in judgement) {
      allowedBySigner.set(judgement.signer, (allowedBySigner.get(judgement.signer) ?? 0) + 1)
      continue
    }
    const exclude = excludes.find(({ matches }) => matches(entry.path))
    if (exclude === undefined) {
      problems.push({ ...judgement, sequence: entry.sequence, path: entry.path, detail: digestText(entry.digest) })
    } else {
      exclude.entries++
      exclude.paths.add(entry.path)
    }
  }
  const allowed = allowedByDigest + allowedBySigner.size
  return {
    verdict: problems.length > 0 ? 'refused' : allowed > 0 ? 'accepted' : 'not-appraised',
    allowedByDigest,
    allowedBySigner,
    excluded: excludes
      .filter((exclude) => exclude.entries > 0)
      .map(({ pattern, entries, paths }) => ({ pattern, entries, paths: [...paths] })),
    problems: problems.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0)),
  }
}

/**
 * A kernel that kexec has started goes on with the list of the one before it, and begins with a boot aggregate of its
 * own: over the same PCRs, or over what user space has measured into them since. One with another digest is none of that
 * boot: any file can have the name. `known`: digests over values that are proven.
 */
function laterAggregatesOf(
  entries: readonly ReplayedImaEntry[],
  known: () => readonly string[],
): readonly ImaProblem[] {
  const [first] = entries
  let accepted: readonly string[] | undefined
  const own = first?.kind === 'measurement' && first.sequence === 0 && first.path === BOOT_AGGREGATE ? first : undefined
  return entries.flatMap((entry): readonly ImaProblem[] => {
    if (entry.kind === 'violation' || entry.sequence === 0 || entry.path !== BOOT_AGGREGATE) return []
    const detail = digestText(entry.digest)
    if (own !== undefined && digestText(own.digest) === detail) return []
    accepted ??= known()
    if (accepted.includes(detail)) return []
    return [{ code: 'ima.boot-aggregate-mismatch', sequence: entry.sequence, path: entry.path, detail }]
  })
}

type Judgement = 'digest' | { readonly signer: string } | Pick<ImaProblem, 'code'>

/**
 * False signatures that are looked into in one list. Checking one costs milliseconds, and a device can send any number:
 * those beyond count as false unseen.
 */
const MAX_FAILED_SIGNATURES = 64

interface Budget {
  failures: number
}

function judge(entry: ReplayedMeasurement, policy: ImaPolicy, budget: Budget): Judgement {
  const known = policy.allow.get(entry.path)
  if (known?.has(digestText(entry.digest)) === true) return 'digest'
  const signed = judgeSignature(entry, policy.signers, budget)
  if (signed !== undefined) return signed
  return { code: known === undefined ? 'ima.file-unknown' : 'ima.digest-mismatch' }
}

/** Undefined where nobody who is trusted seems to have signed. A key id is a claim: only the signature counts. */
function judgeSignature(
  entry: ReplayedMeasurement,
  signers: readonly ImaSigner[],
  budget: Budget,
): Judgement | undefined {
  const signature = entry.signature === null ? undefined : parseImaSignature(entry.signature)
  if (signature === undefined || signature.kind !== 'ima') return undefined
  const named = signers.filter(({ keyId }) => keyId === signature.keyId)
  if (named.length === 0) return undefined
  const { digest } = entry
  // Version 2 signs the digest of the content, and says of which algorithm it is. Others sign something else.
  const fits = signature.version === 2 && digest.kind === 'content' && digest.algorithm === signature.algorithm
  const valid = fits && budget.failures > 0 && named.some(({ verify }) => verify(digest, signature.bytes))
  if (!valid) budget.failures--
  return valid ? { signer: signature.keyId } : { code: 'ima.signature-invalid' }
}
