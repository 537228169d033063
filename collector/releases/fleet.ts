import { toHex } from '../../shared/bytes/bytes.ts'
import { findings, type FindingCode } from '../../shared/codes/findings.ts'
import { hash } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Deviation } from '../appraisal/context.ts'
import { isAboutStatus } from '../appraisal/section-deviations.ts'
import { loadRelease, ReleaseCache } from '../ingest/known-releases.ts'
import type { Device, DeviceState, Verdict } from '../model/device.ts'
import type { Finding } from '../model/finding.ts'
import type { Release } from '../model/release.ts'
import type { Store } from '../store/index.ts'
import { newestEvidence, provenLogOf, reportedBoot } from '../tracking/boot-baseline.ts'
import { comparesBoot } from '../tracking/conclude.ts'
import { judgeReleases, type Candidate, type ReleaseJudgement } from './judge.ts'
import { presentReleases } from './release-set.ts'
import { wentBack } from './standing-findings.ts'

/** Findings of one kind that would open, or close, on how many devices. */
export interface FindingCount {
  readonly code: FindingCode
  readonly subject: string
  readonly devices: number
  /** One of them. */
  readonly example: Ueid
}

/** What would be otherwise for a fleet if other releases were in force. */
export interface FleetChange {
  /** Devices that were judged: active ones with fresh evidence whose content is here. */
  readonly devices: number
  /** Active devices of which nothing can be said. */
  readonly unknown: number
  readonly verdicts: readonly { readonly before: Verdict; readonly after: Verdict; readonly devices: number }[]
  /** The most frequent ones. */
  readonly opens: readonly FindingCount[]
  readonly closes: readonly FindingCount[]
  /** Only the first of a very large fleet were looked at. */
  readonly truncated: boolean
}

const PAGE = 200
const MAX_DEVICES = 100_000
const MAX_TOLD = 100

/** Judges each device by its newest evidence as if `releases` were those of the product. Nothing is stored. */
export async function fleetChange(
  store: Store,
  productId: string,
  releases: readonly Release[],
  now: number,
): Promise<FleetChange> {
  const cache = new ReleaseCache()
  const known = new Map<string, ReleaseJudgement | undefined>()
  const counts = { verdicts: new Map<string, number>(), opens: new Map(), closes: new Map() } as Counts
  let [devices, unknown, truncated] = [0, 0, false]
  let candidates: readonly Candidate[] | undefined
  let cursor: string | null = null
  do {
    const page = await store.devices.list({ limit: PAGE, cursor }, { productId, enrolment: 'active' })
    cursor = page.nextCursor
    for (const { device, state } of page.items) {
      candidates ??= await load(store, device.vendor, releases, now)
      const judgement = await judgementOf(store, cache, device, state, candidates, known)
      if (judgement === undefined) unknown++
      else {
        devices++
        count(counts, device, state, judgement, await store.findings.openOf(device.id), candidates)
      }
    }
    truncated = cursor !== null && devices + unknown >= MAX_DEVICES
  } while (cursor !== null && !truncated)
  return {
    devices,
    unknown,
    truncated,
    verdicts: [...counts.verdicts].map(([name, number]) => {
      const [before, after] = name.split(' ') as [Verdict, Verdict]
      return { before, after, devices: number }
    }),
    opens: told(counts.opens),
    closes: told(counts.closes),
  }
}

interface Counts {
  readonly verdicts: Map<string, number>
  readonly opens: Map<string, FindingCount>
  readonly closes: Map<string, FindingCount>
}

const told = (counts: ReadonlyMap<string, FindingCount>): FindingCount[] =>
  [...counts.values()]
    .sort((a, b) => b.devices - a.devices || (`${a.code} ${a.subject}` < `${b.code} ${b.subject}` ? -1 : 1))
    .slice(0, MAX_TOLD)

async function load(store: Store, vendor: string, releases: readonly Release[], now: number): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  for (const { release, standing } of presentReleases(releases, now)) {
    const compiled = await loadRelease(store, vendor, release)
    if (compiled !== undefined) candidates.push({ release, standing, compiled })
  }
  return candidates
}

/** Devices that report and have booted the same are judged once. */
async function judgementOf(
  store: Store,
  cache: ReleaseCache,
  device: Device,
  state: DeviceState,
  candidates: readonly Candidate[],
  known: Map<string, ReleaseJudgement | undefined>,
): Promise<ReleaseJudgement | undefined> {
  const { postureDigest, bootDigest } = state
  if (postureDigest === null) return undefined
  const hasTpm = device.tpm !== null
  const name = `${toHex(postureDigest)} ${hasTpm} ${bootDigest === null ? '' : toHex(bootDigest)}`
  if (known.has(name)) return known.get(name)
  const record = await newestEvidence(store, device.id, state)
  const posture = await store.postures.find(device.vendor, postureDigest)
  const boot = record === undefined ? undefined : await reportedBoot(store, device.vendor, record)
  const isBootHere = !hasTpm || (boot !== undefined && boot.log !== 'missing' && !(boot.log instanceof OutcomeError))
  const contents = new Map<string, Uint8Array>()
  for (const digest of posture?.values() ?? []) {
    const content = await store.sections.find(device.vendor, digest)
    if (content !== undefined) contents.set(toHex(digest), content)
  }
  const judgement =
    posture === undefined || !isBootHere
      ? undefined
      : judgeReleases(
          candidates,
          {
            posture,
            section: (id, digest) => {
              const content = contents.get(toHex(digest))
              const held = cache.heldSection(device.vendor, id, digest)
              if (held !== undefined) return held
              return content === undefined ? 'missing' : cache.readSection(device.vendor, id, digest, content)
            },
            boot: boot === undefined ? 'none' : { ...boot, log: provenLogOf(boot), awaited: () => false },
          },
          hash,
        )
  const decided = judgement?.isWhole === true ? judgement : undefined
  known.set(name, decided)
  return decided
}

function count(
  counts: Counts,
  { ueid }: Device,
  state: DeviceState,
  judgement: ReleaseJudgement,
  open: readonly Finding[],
  candidates: readonly Candidate[],
): void {
  const { conformsTo } = judgement
  const highest = candidates.find(({ release }) => release.id === state.release.highest)
  const would = [...judgement.deviations, ...(conformsTo === null ? [] : wentBack(conformsTo, highest))]
  const before = open.filter((finding) => finding.state === 'open' && isJudged(finding))
  const keyOf = ({ code, subject }: Pick<Deviation, 'code' | 'subject'>): string => `${code} ${subject}`
  const [was, is] = [new Set(before.map(keyOf)), new Set(would.map(keyOf))]
  for (const each of would) if (!was.has(keyOf(each))) add(counts.opens, each, ueid)
  for (const each of before) if (!is.has(keyOf(each))) add(counts.closes, each, ueid)
  const after = verdictOf(state, judgement, would)
  if (after === state.verdict) return
  const name = `${state.verdict} ${after}`
  counts.verdicts.set(name, (counts.verdicts.get(name) ?? 0) + 1)
}

function add(
  counts: Map<string, FindingCount>,
  { code, subject }: Pick<Deviation, 'code' | 'subject'>,
  example: Ueid,
): void {
  const key = `${code} ${subject}`
  const known = counts.get(key)
  counts.set(key, { code, subject, example: known?.example ?? example, devices: (known?.devices ?? 0) + 1 })
}

/** Findings that compare a device with its releases: all others stay as they are. */
const isJudged = ({ code }: Finding): boolean =>
  comparesBoot(code) || isAboutStatus(code) || (findings[code].axis === 'posture' && !OTHERS.has(code))

const OTHERS: ReadonlySet<FindingCode> = new Set([
  'update-channel.key-expiring',
  'update-channel.key-expired',
  'boot.bank-never-extended',
  'boot.fact-contradicted',
])

function verdictOf(
  { latch }: DeviceState,
  { lacksValues }: ReleaseJudgement,
  deviations: readonly Deviation[],
): Verdict {
  const isIntegrity = deviations.some(({ code }) => findings[code].axis === 'integrity')
  if (latch !== 'none' || isIntegrity) return 'contraindicated'
  if (lacksValues) return 'not-appraised'
  return deviations.length === 0 ? 'affirming' : 'warning'
}
