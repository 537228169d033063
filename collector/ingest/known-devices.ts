import { equal, toHex } from '../../shared/bytes/bytes.ts'
import * as nodeCrypto from '../../shared/crypto/node.ts'
import type { PostureMap } from '../../shared/evidence/claims.ts'
import type { UnverifiedEvidence } from '../../shared/evidence/evidence.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { pcrValuesFromCbor, type MeasurementLogs } from '../../shared/evidence/tpm-evidence.ts'
import { parseQuoteAttest } from '../../shared/tpm/attest.ts'
import { attestationKeyOf, qualifiedNameOfPrimary } from '../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../shared/tpm/constants.ts'
import { quotedStateDigest, type PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { parsePublicArea } from '../../shared/tpm/public.ts'
import { decodeBootReference } from '../../shared/eventlog/reference/encoding.ts'
import type { BootReference } from '../../shared/eventlog/reference/types.ts'
import { BootLog } from '../appraisal/boot-log.ts'
import type { ApprovedValues, KnownDevice, KnownLinks, KnownReleases } from '../appraisal/context.ts'
import type { Device } from '../model/device.ts'
import type { EvidenceRun } from '../model/evidence.ts'
import type { Store } from '../store/index.ts'
import { heldAt, neighboursOf, type Neighbours } from './history.ts'
import { findStandingFindings, ImaPolicyCache } from './known-lists.ts'
import { Recent } from '../recent.ts'
import type { ReportedSection } from '../releases/judge-section.ts'
import type { ReleaseCache } from './known-releases.ts'
import type { Proofs } from './verify/proof.ts'
import { sparedKeys, type ImportedKeys } from './verify/spared-keys.ts'

/** Importing a key costs more than a check with it: the newest keys are kept, within a bound. */
export class KeyCache {
  readonly #recent: Recent<ImportedKeys>
  /** Of devices that are remembered whole, by the very object: without a look for their names. */
  readonly #ofObjects = new WeakMap<Device, ImportedKeys>()

  constructor(capacity: number) {
    this.#recent = new Recent(capacity)
  }

  /** `proofs`: of one message of the device, whose keys are spared what is proven. */
  keysOf(device: Device, proofs?: Proofs): ImportedKeys {
    const keys = this.#importedOf(device)
    return proofs === undefined ? keys : sparedKeys(keys, device, proofs)
  }

  #importedOf(device: Device): ImportedKeys {
    const held = this.#ofObjects.get(device)
    if (held !== undefined) return held
    const name = `${toHex(device.deviceKeyThumbprint)} ${device.tpm === null ? '' : toHex(device.tpm.akName)}`
    const keys = this.#recent.get(name) ?? this.#recent.keep(name, importKeys(device))
    this.#ofObjects.set(device, keys)
    return keys
  }
}

function importKeys(device: Device): ImportedKeys {
  const deviceKey = { key: nodeCrypto.ed25519Key(device.deviceKey), thumbprint: device.deviceKeyThumbprint }
  if (device.tpm === null) return { deviceKey, attestationKey: null }
  const { akPublic, akName } = device.tpm
  const qualifiedName = qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, akName, nodeCrypto.hash)
  return { deviceKey, attestationKey: attestationKeyOf(parsePublicArea(akPublic), qualifiedName, nodeCrypto) }
}

/** An event takes about ten times its bytes in the log, so this is some 300 MiB at worst, and 5 in real life. */
const MAX_LOG_BYTES = 16 * 1024 * 1024

/** Boot logs and reference events in use: a release has a few of each, whatever the number of its devices. */
export class BootCache {
  readonly logs = new Recent<BootLog>(64, { of: ({ size }) => size, max: MAX_LOG_BYTES })
  readonly references = new Recent<BootReference>(64)
}

export interface Caches {
  readonly keys: KeyCache
  readonly boot: BootCache
  readonly policies: ImaPolicyCache
  readonly releases: ReleaseCache
}

const FRESH_SESSIONS_COMPARED = 4

/** What the appraisal needs, and the run that the evidence may continue. */
export interface LoadedDevice extends KnownDevice {
  readonly runBefore: EvidenceRun | undefined
}

/** Reads from the store all that the appraisal of `evidence` depends on. */
export async function loadKnownDevice(
  store: Store,
  caches: Caches,
  device: Device,
  evidence: UnverifiedEvidence,
  receivedAt: number,
  proofs?: Proofs,
): Promise<LoadedDevice> {
  const { vendor } = device
  const { claims, tpm } = evidence
  const state = await store.devices.stateOf(device.id)
  const neighbours = await neighboursOf(store, device.id, claims.session, claims.sequence)
  const epoch = await store.epochs.byNonce(claims.nonce)
  const releases = await caches.releases.of(store, device, { now: receivedAt })
  const releasesThen =
    epoch === undefined ? releases : await caches.releases.of(store, device, { past: epoch.issuedAt })
  // Only history from before the first release is compared with anything else.
  const isReleased = releases !== undefined && releasesThen !== undefined
  const approved = isReleased ? undefined : await loadApproved(store, device, caches)
  const isBefore = approved !== undefined && epoch !== undefined && epoch.issuedAt < approved.approvedAt
  const posture = claims.posture ?? (await store.postures.find(vendor, claims.postureDigest))
  const released = releases ?? releasesThen
  const wanted = {
    approved: approved?.posture,
    // Where all accepted releases hold the same section of the TPM, it was looked into when they were made.
    accepted: released === undefined ? approved?.posture : releasedSections(released),
    isHeld: (id: string, digest: Uint8Array) =>
      released === undefined || caches.releases.heldSection(vendor, id, digest) !== undefined,
    logs: tpm?.logs,
  }
  const contents = await loadContents(store, vendor, posture, wanted)
  return {
    device,
    ...caches.keys.keysOf(device, proofs),
    state,
    links: await loadLinks(store, device, evidence, neighbours),
    runBefore: neighbours.before,
    epoch,
    posture,
    pcrs: tpm === null || tpm.pcrs !== null ? undefined : await loadPcrs(store, vendor, tpm.attest, receivedAt),
    approved,
    approvedThen: isBefore ? await loadApproved(store, device, caches, epoch.issuedAt) : undefined,
    releases,
    releasesThen,
    section: sectionReader(caches.releases, vendor, posture, contents),
    contents,
    bootLog: await loadBootLog(store, vendor, tpm?.logs.firmware ?? null, caches.boot),
    imaPolicy: (tpm?.logs.ima ?? null) === null ? undefined : await caches.policies.policyOf(store, device.productId),
    standingFindings: await findStandingFindings(store, device.id, state.ima),
  }
}

async function loadLinks(
  store: Store,
  device: Device,
  { claims }: UnverifiedEvidence,
  neighbours: Neighbours,
): Promise<KnownLinks> {
  const { session: id, sequence, previous } = claims
  const session = await store.sessions.find(device.id, id)
  const named = sequence === 0 && previous !== null ? await store.receipts.numberOf(device.id, previous) : undefined
  const fresh = await store.sessions.recentlyFresh(device.id, FRESH_SESSIONS_COMPARED)
  return {
    session,
    samePlace: await heldAt(store, sequence, neighbours, session),
    hashBefore: neighbours.before?.headHash,
    previousOfNext: neighbours.after?.firstPrevious,
    freshSessions: fresh.filter((other) => !equal(other.session, id)),
    namedReceipt: named,
  }
}

/** The values that were proven for the digest that this quote carries. An unreadable quote has none. */
async function loadPcrs(store: Store, vendor: string, attest: Uint8Array, now: number): Promise<PcrValues | undefined> {
  let digest: Uint8Array
  try {
    digest = quotedStateDigest(parseQuoteAttest(attest), nodeCrypto.hash)
  } catch (error) {
    if (error instanceof OutcomeError) return undefined // the quote step says what is wrong with it
    throw error
  }
  const stored = await store.pcrSets.use(vendor, digest, now)
  return stored === undefined ? undefined : pcrValuesFromCbor(stored)
}

async function loadApproved(
  store: Store,
  device: Device,
  { boot }: Caches,
  at?: number,
): Promise<ApprovedValues | undefined> {
  const reference = await store.references.newestFor(device.id, device.productId, at)
  if (reference === undefined) return undefined
  const posture = await store.postures.find(device.vendor, reference.postureDigest)
  if (posture === undefined) return undefined
  const pcrs = reference.pcrDigest === null ? undefined : await store.pcrSets.find(device.vendor, reference.pcrDigest)
  return {
    id: reference.id,
    posture,
    pcrs: pcrs === undefined ? null : pcrValuesFromCbor(pcrs),
    bootReference: await loadBootReference(store, device.vendor, reference.bootReferenceDigest, boot),
    tpmFirmwareVersion: reference.tpmFirmwareVersion,
    approvedAt: reference.createdAt,
  }
}

/** Content names itself by its digest, but belongs to one vendor. */
const cacheName = (vendor: string, digest: Uint8Array): string => `${toHex(digest)} ${vendor}`

async function loadBootReference(
  store: Store,
  vendor: string,
  digest: Uint8Array | null,
  { references }: BootCache,
): Promise<BootReference | null> {
  if (digest === null) return null
  const name = cacheName(vendor, digest)
  const held = references.get(name)
  if (held !== undefined) return held
  const stored = await store.bootReferences.find(vendor, digest)
  const reference = stored === undefined ? undefined : decodeBootReference(stored)
  // Without it each value has to be the approved one, which is stricter.
  return reference === undefined ? null : references.keep(name, reference)
}

async function loadBootLog(
  store: Store,
  vendor: string,
  digest: Uint8Array | null,
  { logs }: BootCache,
): Promise<KnownDevice['bootLog']> {
  if (digest === null) return undefined
  const name = cacheName(vendor, digest)
  // What was cached in a transaction that was undone is not in the store, and has to be asked for.
  const held = logs.get(name)
  if (held !== undefined && (await store.sections.has(vendor, digest))) return held
  const content = await store.sections.find(vendor, digest)
  return content === undefined ? 'missing' : logs.keep(name, new BootLog(content, nodeCrypto.hash))
}

/** What accepted releases hold of each section: where all of them hold the same, nobody needs to look into it again. */
function releasedSections({ candidates }: KnownReleases): PostureMap {
  const known = new Map<string, Uint8Array>()
  for (const { compiled } of candidates.filter(({ standing }) => standing === 'accepted')) {
    for (const [id, { captured }] of compiled.sections) if (captured !== null) known.set(id, captured.digest)
  }
  return known
}

function sectionReader(
  releases: ReleaseCache,
  vendor: string,
  posture: PostureMap | undefined,
  contents: ReadonlyMap<string, Uint8Array | null>,
): KnownDevice['section'] {
  // Taken now: reading one may make the cache give up another.
  const held = new Map<string, ReportedSection>()
  for (const [id, digest] of posture ?? []) {
    const section = releases.heldSection(vendor, id, digest)
    if (section !== undefined) held.set(`${toHex(digest)} ${id}`, section)
  }
  return (id, digest) => {
    const content = contents.get(toHex(digest))
    if (content === undefined) return 'missing'
    const known = held.get(`${toHex(digest)} ${id}`)
    if (known !== undefined) return known
    return content === null ? 'missing' : releases.readSection(vendor, id, digest, content)
  }
}

interface WantedContents {
  readonly approved: PostureMap | undefined
  readonly accepted: PostureMap | undefined
  /** Whether nobody has to read it to compare it with releases. */
  readonly isHeld: (id: string, digest: Uint8Array) => boolean
  readonly logs: MeasurementLogs | undefined
}

/**
 * Content that the steps read: sections that differ from the approved ones, or that have to be compared with releases,
 * that of the TPM also where none is approved, that of the boot with each boot log, which is asked whether it is true,
 * and a measurement list that is named by its digest. Of all others, whether it is here.
 */
async function loadContents(
  store: Store,
  vendor: string,
  posture: PostureMap | undefined,
  { approved, accepted, isHeld, logs }: WantedContents,
): Promise<ReadonlyMap<string, Uint8Array | null>> {
  const contents = new Map<string, Uint8Array | null>()
  const read = async (digest: Uint8Array): Promise<void> => {
    if (contents.has(toHex(digest))) return
    const content = await store.sections.find(vendor, digest)
    if (content !== undefined) contents.set(toHex(digest), content)
  }
  const look = async (digest: Uint8Array): Promise<void> => {
    if (!contents.has(toHex(digest)) && (await store.sections.has(vendor, digest))) contents.set(toHex(digest), null)
  }
  for (const [id, digest] of posture ?? []) {
    const before = accepted?.get(id)
    const isOther = before === undefined || !equal(before, digest)
    if (!isHeld(id, digest)) await read(digest)
    if ((id === 'tpm' && isOther) || (id === 'boot' && (logs?.firmware ?? null) !== null)) await read(digest)
    const own = approved?.get(id)
    if (own === undefined || equal(own, digest)) continue
    await read(digest)
    await read(own)
  }
  for (const digest of posture?.values() ?? []) await look(digest)
  if (logs?.ima?.entries.length === 32) await read(logs.ima.entries)
  return contents
}
