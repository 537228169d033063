import { toHex } from '../../../shared/bytes/bytes.ts'
import type { ReleaseFile } from '../document.ts'
import { CorimTag, readCorimCbor } from './cbor.ts'
import { Item } from './item.ts'

/** What a CoRIM says of the measured boot of a product: reference values of PCRs and of named events. */
export interface CorimValues {
  readonly pcrs: NonNullable<ReleaseFile['boot']>['pcrs']
  readonly namedEvents: NonNullable<ReleaseFile['boot']>['namedEvents']
  /** What it says beside that, for people: tag identities, creators, names. */
  readonly notes: readonly string[]
}

const TAG = { corim: 501, comid: 506, signed: 18, uuid: 37, oid: 111, time: 1 } as const
const MAX_PCR = 23

/** IANA Named Information Hash Algorithm Registry. */
const ALGORITHMS = new Map<number | string, { bank: 'sha256' | 'sha384'; size: number }>([
  [1, { bank: 'sha256', size: 32 }],
  ['sha-256', { bank: 'sha256', size: 32 }],
  [7, { bank: 'sha384', size: 48 }],
  ['sha-384', { bank: 'sha384', size: 48 }],
])

interface Found {
  readonly product: { readonly vendor: string; readonly model: string }
  /** `bank/pcr` or `bank/name` -> digests. */
  readonly pcrs: Map<string, Set<string>>
  readonly events: Map<string, Set<string>>
  readonly notes: string[]
}

/**
 * Reads the part of draft-ietf-rats-corim that speaks of PCRs: an unsigned CoRIM with CoMID tags, whose reference
 * triples hold digests for components that are named by a PCR index, by integrity registers, or by the name of an
 * event. Anything else is refused with its place. Throws KeepsealError `release.invalid`.
 */
export function readCorim(
  bytes: Uint8Array,
  product: { readonly vendor: string; readonly model: string },
  now: number,
): CorimValues {
  const found: Found = { product, pcrs: new Map(), events: new Map(), notes: [] }
  const item = new Item(readCorimCbor(bytes, 'CoRIM'), 'corim')
  if (item.value instanceof CorimTag && item.value.tag === TAG.signed) {
    item.refuse('it is signed, and its signer is not known here: check the signature, and import what was signed')
  }
  const { id, tags, entities, validity } = item.tagged(TAG.corim).map({ id: 0, tags: 1, entities: 5, validity: 4 })
  if (id === undefined || tags === undefined) return item.refuse('id and tags wanted')
  found.notes.push(`CoRIM ${identityText(id)}`)
  if (validity !== undefined) checkValidity(validity, now)
  readEntities(entities, found)
  for (const tag of tags.list()) {
    const comid = tag.tagged(TAG.comid)
    readComid(new Item(readCorimCbor(comid.bytes(), comid.path), comid.path), found)
  }
  const split = (name: string): [bank: 'sha256' | 'sha384', rest: string] => {
    const at = name.indexOf('/')
    return [name.slice(0, at) as 'sha256' | 'sha384', name.slice(at + 1)]
  }
  return {
    pcrs: [...found.pcrs].map(([name, values]) => {
      const [bank, pcr] = split(name)
      return { bank, pcr: Number(pcr), values: [...values].sort() }
    }),
    namedEvents: [...found.events].map(([name, digests]) => {
      const [bank, event] = split(name)
      return { bank, name: event, digests: [...digests].sort() }
    }),
    notes: found.notes,
  }
}

/** Text, or a UUID with or without its tag. */
function identityText({ value }: Item): string {
  const plain = value instanceof CorimTag ? value.value : value
  return plain instanceof Uint8Array ? toHex(plain) : String(plain as string | number)
}

function checkValidity(validity: Item, now: number): void {
  const { notBefore, notAfter } = validity.map({ notBefore: 0, notAfter: 1 })
  const at = (time: Item): number => time.tagged(TAG.time).uint(Number.MAX_SAFE_INTEGER) * 1000
  if (notAfter !== undefined && at(notAfter) < now) notAfter.refuse('it is not valid any more')
  if (notBefore !== undefined && at(notBefore) > now) notBefore.refuse('it is not valid yet')
}

/** Who has made it is told, and decides nothing. */
function readEntities(entities: Item | undefined, { notes }: Found): void {
  for (const entity of entities?.list() ?? []) {
    const { name } = entity.map({ name: 0, registration: 1, role: 2 })
    if (name !== undefined) notes.push(`by ${identityText(name)}`)
  }
}

function readComid(comid: Item, found: Found): void {
  const { identity, entities, triples } = comid.map({ language: 0, identity: 1, entities: 2, triples: 4 })
  if (identity === undefined || triples === undefined) return comid.refuse('tag-identity and triples wanted')
  const { id } = identity.map({ id: 0, version: 1 })
  if (id !== undefined) found.notes.push(`CoMID ${identityText(id)}`)
  readEntities(entities, found)
  const { reference } = triples.map({ reference: 0 })
  if (reference === undefined) return triples.refuse('reference-triples wanted')
  for (const triple of reference.list()) {
    const [environment, measurements, ...more] = triple.list()
    if (environment === undefined || measurements === undefined || more.length > 0)
      return triple.refuse('a pair wanted')
    readEnvironment(environment, found)
    for (const measurement of measurements.list()) readMeasurement(measurement, found)
  }
}

/** Values of another product must not become those of this one. */
function readEnvironment(environment: Item, { product, notes }: Found): void {
  const { class: ofClass } = environment.map({ class: 0 })
  if (ofClass === undefined) return environment.refuse('a class wanted')
  const { id, vendor, model } = ofClass.map({ id: 0, vendor: 1, model: 2 })
  if (vendor !== undefined && vendor.text() !== product.vendor) vendor.refuse(`it is of ${vendor.text()}`)
  if (model !== undefined && model.text() !== product.model) model.refuse(`it is of ${model.text()}`)
  if (vendor === undefined && model === undefined) notes.push('no vendor or model named')
  if (id !== undefined) notes.push(`class ${identityText(id)}`)
}

function readMeasurement(measurement: Item, found: Found): void {
  const { key, value } = measurement.map({ key: 0, value: 1 })
  if (value === undefined) return measurement.refuse('mval wanted')
  const { digests, registers } = value.map({ digests: 2, registers: 14 })
  if (digests === undefined && registers === undefined) return value.refuse('digests or integrity registers wanted')
  if (digests !== undefined) {
    if (key === undefined) return measurement.refuse('digests without a key: nobody knows of what')
    if (typeof key.value === 'string') addAll(found.events, key.text(), digests)
    else addAll(found.pcrs, String(key.uint(MAX_PCR)), digests)
  }
  for (const [register, of] of registers?.entries() ?? []) {
    const pcr = new Item(register, of.path).uint(MAX_PCR)
    addAll(found.pcrs, String(pcr), of)
  }
}

function addAll(values: Map<string, Set<string>>, name: string, digests: Item): void {
  for (const digest of digests.list()) {
    const [algorithm, content, ...more] = digest.list()
    if (algorithm === undefined || content === undefined || more.length > 0) return digest.refuse('a pair wanted')
    const known = ALGORITHMS.get(algorithm.value as number | string)
    if (known === undefined) return algorithm.refuse('only SHA-256 (1) and SHA-384 (7) are read here')
    const bytes = content.bytes()
    if (bytes.length !== known.size) return content.refuse(`${known.size} bytes wanted`)
    const key = `${known.bank}/${name}`
    values.set(key, (values.get(key) ?? new Set()).add(toHex(bytes)))
  }
}

/**
 * A release of what a CoRIM says of the boot. It says nothing of the sections of a posture, and of no other PCR: those
 * are taken from an earlier release, where one is given.
 */
export function releaseOfCorim(
  values: CorimValues,
  about: Pick<ReleaseFile, 'product' | 'name'>,
  base: ReleaseFile | undefined,
): ReleaseFile {
  const { pcrs, namedEvents } = values
  const judged = new Set(pcrs.map(({ pcr }) => pcr))
  const boot = {
    pcrs,
    namedEvents,
    tpmFirmware: base?.boot?.tpmFirmware ?? [],
    notJudged: (base?.boot?.notJudged ?? []).filter((pcr) => !judged.has(pcr)),
  }
  return { version: 1, ...about, sections: base?.sections ?? {}, boot }
}
