import * as fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { activateCredential } from '../../../agent/tpm/activation.ts'
import { createAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { readTpmAttributes } from '../../../agent/tpm/commands/attributes.ts'
import { readClock } from '../../../agent/tpm/commands/clock.ts'
import { loadContext, readPublic, saveContext } from '../../../agent/tpm/commands/keys.ts'
import { DeviceTpm, type CommandChannel } from '../../../agent/tpm/device/device-tpm.ts'
import { readEndorsementKey } from '../../../agent/tpm/endorsement-key.ts'
import { takeQuoteWithPcrs } from '../../../agent/tpm/quoting.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { credentialPrimitives } from '../../../shared/crypto/node-credential.ts'
import { random } from '../../../shared/crypto/node.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import { makeCredential } from '../../../shared/tpm/credential.ts'
import { swtpmChannel } from '../../support/socket-channel.ts'
import { startSwtpm } from '../../support/swtpm.ts'

/** Answers as a real TPM gave them to all that the agent asks, and then each of them damaged. */

let challenge: Parameters<typeof activateCredential>[3]
let recorded: Uint8Array[]

async function everything(tpm: Tpm): Promise<void> {
  const ek = await readEndorsementKey(tpm)
  await readTpmAttributes(tpm)
  await readClock(tpm)
  const ak = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: new Uint8Array(32) })
  await readPublic(tpm, ak.handle)
  await loadContext(tpm, await saveContext(tpm, ak.handle))
  await takeQuoteWithPcrs(tpm, ak, {
    selection: [{ bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7, 8] }],
    extraData: new Uint8Array(32),
  })
  challenge ??= makeCredential({
    ek: ek.publicArea,
    akName: ak.name,
    secret: new Uint8Array(32),
    primitives: credentialPrimitives,
    random,
  })
  await activateCredential(tpm, ek.template, ak.handle, challenge)
}

beforeAll(async () => {
  const swtpm = await startSwtpm({ banks: ['sha1', 'sha256'] })
  try {
    const channel = await swtpmChannel(swtpm.tcti)
    recorded = []
    const send = async (command: Uint8Array): Promise<Uint8Array> => {
      const answer = await channel.send(command)
      recorded.push(answer)
      return answer
    }
    const tpm = new DeviceTpm({ ...channel, send })
    await everything(tpm)
    await tpm.close()
  } finally {
    await swtpm.stop()
  }
})

/** What was recorded, in turn, with one of the answers replaced. */
function replaying(index: number, damage: (answer: Uint8Array) => Uint8Array): Tpm {
  let next = 0
  const send = (): Promise<Uint8Array> => {
    const answer = recorded[next] ?? new Uint8Array(0)
    return Promise.resolve(next++ === index ? damage(answer) : answer)
  }
  const channel: CommandChannel = { send, close: () => Promise.resolve() }
  return new DeviceTpm(channel, { retryMs: 0 })
}

/** Cut or grown answers say their new size: what is behind the header has to be read with care, not the header. */
function withTrueSize(answer: Uint8Array): Uint8Array {
  if (answer.length >= 6) new DataView(answer.buffer).setUint32(2, answer.length)
  return answer
}

async function endOf(tpm: Tpm): Promise<string> {
  try {
    await everything(tpm)
    return 'good'
  } catch (error) {
    if (error instanceof KeepsealError || error instanceof OutcomeError) return error.code
    throw error
  } finally {
    await tpm.close()
  }
}

test('what was recorded is good as it is', async () => {
  expect(recorded.length).toBeGreaterThan(20)
  expect(await endOf(replaying(-1, (answer) => answer))).toBe('good')
})

test('an answer that is cut, and says so, is refused, wherever it is cut', async () => {
  const place = fc.tuple(fc.nat(), fc.nat())
  await fc.assert(
    fc.asyncProperty(place, async ([which, where]) => {
      const index = which % recorded.length
      const damage = (answer: Uint8Array): Uint8Array =>
        withTrueSize(answer.slice(0, Math.max(10, where % answer.length)))
      const whole = recorded[index] ?? new Uint8Array(0)
      // Refusals, and what answers a flush, are a header alone and cannot be cut.
      if (whole.length > 10) expect(await endOf(replaying(index, damage))).not.toBe('good')
    }),
    { numRuns: 400 },
  )
})

test('an answer that was damaged ends in a value or an error with a code', async () => {
  const damages = fc.oneof(
    fc.nat().map((bit) => (answer: Uint8Array) => {
      const flipped = answer.slice()
      const at = (bit >> 3) % flipped.length
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7))
      return flipped
    }),
    fc.uint8Array({ minLength: 1, maxLength: 64 }).map((more) => (answer: Uint8Array) => {
      return withTrueSize(Uint8Array.from([...answer, ...more]))
    }),
    fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([where, put]) => (answer: Uint8Array) => {
      const changed = answer.slice()
      changed.set(put.subarray(0, changed.length), where % Math.max(1, changed.length - put.length))
      return changed
    }),
  )
  const ends = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.nat(), damages, async (which, damage) => {
      ends.add(await endOf(replaying(which % recorded.length, damage)))
    }),
    { numRuns: 1500 },
  )
  expect(ends).toContain('tpm.unavailable')
  expect(ends).toContain('tpm.command-failed')
})
