import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { verifyEventLog } from '../../shared/eventlog/match.ts'
import { parseEventLog } from '../../shared/eventlog/parse.ts'
import { secureBootState } from '../../shared/eventlog/secure-boot.ts'
import { parseBinaryImaList } from '../../shared/ima/parse-binary.ts'
import { verifyImaSuffix } from '../../shared/ima/replay.ts'
import { encodePublicArea } from '../../shared/tpm/public.ts'
import { pcrDigest, type PcrSelection, type PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { verifyQuote, type QuoteInput, type VerifiedQuote } from '../../shared/tpm/quote.ts'
import { attestationKeyPem } from '../../collector/trust/attestation-key-pem.ts'
import { agileLog, ascii, goodBoot, pcrsOf, type EventSpec } from '../support/eventlog-builder.ts'
import { binaryList, pcr10Of } from '../support/ima-builder.ts'
import { quoteInput, SoftwareSigner } from '../support/tpm-quote.ts'
import { bareEntries } from './boot.ts'
import { measuredFiles } from './measured-files.ts'
import { compare, type Comparison } from './statistics.ts'

/** The cases in which Keylime's verifier was measured, and tpm2_checkquote where it is installed. */
export interface BesidePeers {
  /** P-256, key imported: quote check, parse, replay and Secure Boot of a log, against the quote check alone. */
  readonly quoteAndLog: Comparison & { readonly events: number; readonly perCpuSecond: number }
  /** Quote check, parse and replay of a whole list, against the bare hashing of its entries. */
  readonly coldList: Comparison & { readonly entries: number; readonly perCpuSecond: number }
  /** Quote check and what is new in the list since the last quote, against the quote check alone. */
  readonly steadyList: Comparison & { readonly entries: number; readonly perCpuSecond: number }
  readonly quoteAlone: { readonly perCpuSecond: number }
  /** One process for each quote, one after the other; null where it is not installed. */
  readonly tpm2Checkquote: { readonly perSecond: number } | null
}

const EVENTS = 99
const COLD_ENTRIES = 2_000
const NEW_ENTRIES = 20
const QUICK = { rounds: 21, callsPerRound: 100, warmUp: 500 }
const COLD = { rounds: 21, callsPerRound: 10, warmUp: 40 }
const PROCESSES = 40

const perCpuSecond = (microseconds: number): number => Math.round(1_000_000 / microseconds)

export function measureBesidePeers(): BesidePeers {
  const signer = new SoftwareSigner('ecdsa')
  const events = bootOf(EVENTS)
  const log = agileLog(events)
  const files = measuredFiles(COLD_ENTRIES)
  const earlier = files.slice(0, -NEW_ENTRIES)
  const quote = quoteOf(signer, events, pcr10Of(files))
  const check = (): VerifiedQuote => verifyQuote(quote)
  const quotedPcr10 = bootPcrs(check()).get(10) ?? new Uint8Array(0)
  const list = binaryList(files)
  const suffix = binaryList(files.slice(-NEW_ENTRIES))
  const before = { base: null, suffix: parseBinaryImaList(binaryList(earlier)), quotedPcr10: pcr10Of(earlier) }
  const base = verifyImaSuffix({ ...before, bank: 'sha256' }, hash).next

  const withLog = (): void => {
    const state = secureBootState(verifyEventLog(parseEventLog(log), 'sha256', bootPcrs(check()), hash), hash)
    if (state.enabled !== true) throw new Error('not the boot that was to be measured')
  }
  const cold = (): void => {
    check()
    verifyImaSuffix({ base: null, suffix: parseBinaryImaList(list), quotedPcr10, bank: 'sha256' }, hash)
  }
  const steady = (): void => {
    check()
    const added = parseBinaryImaList(suffix, { first: base.entries })
    verifyImaSuffix({ base, suffix: added, quotedPcr10, bank: 'sha256' }, hash)
  }
  const quoteAndLog = compare(withLog, check, QUICK)
  const coldList = compare(cold, bareEntries(parseBinaryImaList(list)), COLD)
  const steadyList = compare(steady, check, QUICK)
  return {
    quoteAndLog: {
      ...quoteAndLog,
      events: parseEventLog(log).events.length,
      perCpuSecond: perCpuSecond(quoteAndLog.subjectUs),
    },
    coldList: { ...coldList, entries: COLD_ENTRIES, perCpuSecond: perCpuSecond(coldList.subjectUs) },
    steadyList: { ...steadyList, entries: NEW_ENTRIES, perCpuSecond: perCpuSecond(steadyList.subjectUs) },
    quoteAlone: { perCpuSecond: perCpuSecond(quoteAndLog.baselineUs) },
    tpm2Checkquote: measureCheckquote(quote, signer),
  }
}

/** A whole boot of so many events, the Spec ID event included: what a boot loader measures fills it up. */
function bootOf(count: number): EventSpec[] {
  const events = goodBoot()
  const commands = Array.from({ length: count - 1 - events.length }, (_, index): EventSpec => {
    const command = `[ ${index} = ${index} ] && linux /boot/vmlinuz-6.1.0-${index}-amd64`
    return { pcr: 8, type: 'EV_IPL', data: ascii(`grub_cmd: ${command}\0`), hashed: ascii(command) }
  })
  return [...events, ...commands]
}

function quoteOf(signer: SoftwareSigner, events: readonly EventSpec[], pcr10: Uint8Array): QuoteInput {
  const all = pcrsOf(events)
  const values = new Map(Array.from({ length: 15 }, (_, pcr) => [pcr, pcr === 10 ? pcr10 : (all.get(pcr) ?? pcr10)]))
  const pcrs: PcrValues = new Map([['sha256', values]])
  const selection: PcrSelection = [{ bank: 'sha256', pcrs: [...values.keys()] }]
  return quoteInput(signer, { selection, pcrDigest: pcrDigest(hash, 'sha256', pcrs, selection) }, pcrs)
}

const bootPcrs = ({ pcrs }: VerifiedQuote): ReadonlyMap<number, Uint8Array> => pcrs.get('sha256') ?? new Map()

function measureCheckquote(quote: QuoteInput, signer: SoftwareSigner): BesidePeers['tpm2Checkquote'] {
  if (spawnSync('tpm2_checkquote', ['--version']).status !== 0) return null
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-bench-'))
  try {
    const file = (name: string, content: Uint8Array | string): string => {
      const path = join(directory, name)
      writeFileSync(path, content)
      return path
    }
    const key = file('ak.pem', attestationKeyPem(encodePublicArea(signer.area)))
    const argv = ['-u', key, '-m', file('quote.msg', quote.attest), '-s', file('quote.sig', quote.signature)]
    const started = performance.now()
    for (let i = 0; i < PROCESSES; i++) {
      const { status } = spawnSync('tpm2_checkquote', [...argv, '-q', toHex(quote.expectedExtraData)])
      if (status !== 0) throw new Error('tpm2_checkquote refused the quote that was to be measured')
    }
    return { perSecond: Math.round((PROCESSES * 1000) / (performance.now() - started)) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
