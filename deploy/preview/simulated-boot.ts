import { existsSync, writeFileSync } from 'node:fs'
import { concat, utf8 } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import type { Tpm } from '../../agent/tpm/tpm.ts'
import { extendPcr, readPcrs } from '../../agent/tpm/commands/pcrs.ts'

/**
 * A boot log for a software TPM that no firmware has ever booted through. Each event says in its own data that it is
 * simulated, so that nobody can mistake the log, or a value in it, for a measurement.
 */
const EVENTS: readonly { pcr: number; type: number; text: string }[] = [
  { pcr: 0, type: 0x08, text: 'SIMULATED firmware version 1.0' },
  { pcr: 1, type: 0x0a, text: 'SIMULATED platform configuration' },
  { pcr: 2, type: 0x05, text: 'SIMULATED option ROMs: none' },
  { pcr: 3, type: 0x05, text: 'SIMULATED option ROM configuration: none' },
  { pcr: 4, type: 0x0d, text: 'SIMULATED boot loader and kernel' },
  { pcr: 5, type: 0x0d, text: 'SIMULATED boot configuration' },
  { pcr: 6, type: 0x05, text: 'SIMULATED host platform specific' },
  { pcr: 7, type: 0x05, text: 'SIMULATED secure boot policy' },
]

const SHA256 = 0x000b

const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8)
const u32 = (value: number): Uint8Array => concat(u16(value & 0xffff), u16(value >>> 16))

/** TCG PC Client Platform Firmware Profile, section 10.4.5.1: TCG_EfiSpecIdEvent for one SHA-256 bank. */
function specIdEvent(): Uint8Array {
  const data = concat(
    utf8('Spec ID Event03\0'),
    u32(0),
    Uint8Array.of(0, 2, 0, 2),
    u32(1),
    u16(SHA256),
    u16(32),
    Uint8Array.of(0),
  )
  return concat(u32(0), u32(0x03), new Uint8Array(20), u32(data.length), data)
}

/** Section 10.2.2: TCG_PCR_EVENT2 with one digest, that of its data. */
function event({ pcr, type, text }: (typeof EVENTS)[number]): Uint8Array {
  const data = utf8(text)
  return concat(u32(pcr), u32(type), u32(1), u16(SHA256), sha256(data), u32(data.length), data)
}

/** Extends the simulated boot into a TPM that was just started, and writes the log that explains it. */
export async function simulateBoot(tpm: Tpm, logFile: string): Promise<void> {
  const values = await readPcrs(tpm, [{ bank: 'sha256', pcrs: [0] }])
  const booted =
    values
      .get('sha256')
      ?.get(0)
      ?.some((byte) => byte !== 0) === true
  if (booted && existsSync(logFile)) return
  for (const entry of EVENTS) await extendPcr(tpm, entry.pcr, new Map([['sha256', sha256(utf8(entry.text))]]))
  writeFileSync(logFile, concat(specIdEvent(), ...EVENTS.map(event)))
}
