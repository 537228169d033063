import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { activateCredential } from '../../../../agent/tpm/activation.ts'
import { createAttestationKey } from '../../../../agent/tpm/attestation-key.ts'
import { TpmCommandError } from '../../../../agent/tpm/command-error.ts'
import { readTpmAttributes } from '../../../../agent/tpm/commands/attributes.ts'
import { describeTpm, readHandles } from '../../../../agent/tpm/commands/capabilities.ts'
import { readClock } from '../../../../agent/tpm/commands/clock.ts'
import { loadContext, readPublic, saveContext } from '../../../../agent/tpm/commands/keys.ts'
import { readNvIndex } from '../../../../agent/tpm/commands/nv.ts'
import { extendPcr, readPcrs } from '../../../../agent/tpm/commands/pcrs.ts'
import { DeviceTpm } from '../../../../agent/tpm/device/device-tpm.ts'
import { readEndorsementKey } from '../../../../agent/tpm/endorsement-key.ts'
import { takeQuoteWithPcrs } from '../../../../agent/tpm/quoting.ts'
import type { Tpm } from '../../../../agent/tpm/tpm.ts'
import { concat, fromHex, toHex } from '../../../../shared/bytes/bytes.ts'
import { ByteWriter } from '../../../../shared/bytes/writer.ts'
import { KeepsealError, OutcomeError } from '../../../../shared/errors.ts'
import { ENDORSEMENT_KEY_PROFILES } from '../../../../shared/tpm/templates.ts'
import { refusalOf } from '../../../support/keepseal-error.ts'

/** A TPM that gives these answers in turn, the last one again and again, and keeps what it was sent. */
function answering(...answers: Uint8Array[]): { tpm: Tpm; sent: string[] } {
  const sent: string[] = []
  const send = (command: Uint8Array): Promise<Uint8Array> => {
    sent.push(toHex(command))
    if (sent.length > 5000) return Promise.reject(new Error('asked without end'))
    return Promise.resolve(answers[Math.min(sent.length, answers.length) - 1] ?? new Uint8Array(0))
  }
  return { tpm: new DeviceTpm({ send, close: () => Promise.resolve() }, { retryMs: 0 }), sent }
}

/** With a header that holds. */
const answer = (body: Uint8Array, { tag = 0x8001, rc = 0 } = {}): Uint8Array =>
  new ByteWriter()
    .u16(tag)
    .u32(10 + body.length)
    .u32(rc)
    .bytes(body)
    .finish()
const refusing = (rc: number): Uint8Array => answer(new Uint8Array(0), { rc })

const TIME = fromHex('00000000000000010000000000000002000000030000000401')

test('a command is its header, handles and parameters, as Part 1 has them', async () => {
  const { tpm, sent } = answering(answer(TIME))
  expect(await readClock(tpm)).toEqual({ timeMs: 1n, clockMs: 2n, resetCount: 3, restartCount: 4, safe: true })
  expect(sent).toEqual(['80010000000a00000181'])
})

describe('an answer', () => {
  test.each([
    ['that is empty', new Uint8Array(0)],
    ['shorter than a header', new Uint8Array(9)],
    ['that says more than there is', concat(answer(TIME).subarray(0, 30))],
    ['that says less than there is', concat(answer(TIME), new Uint8Array(1))],
    ['longer than any that the kernel gives', answer(new Uint8Array(4087))],
    ['with the tag of a TPM 1.2', answer(new Uint8Array(0), { tag: 0x00c4, rc: 30 })],
    ['that refuses, and goes on', answer(TIME, { rc: 0x101 })],
  ])('%s ends the connection', async (_, bytes) => {
    const { tpm, sent } = answering(bytes, answer(TIME))
    expect((await refusalOf(readClock(tpm))).code).toBe('tpm.unavailable')
    expect((await refusalOf(readClock(tpm))).code).toBe('tpm.unavailable')
    expect(sent).toHaveLength(1)
  })

  test.each([
    ['with too little in it', answer(TIME.subarray(1))],
    ['with too much in it', answer(concat(TIME, new Uint8Array(1)))],
    ['with authorizations that nobody asked for', answer(TIME, { tag: 0x8002 })],
  ])('%s is refused, and the next is read', async (_, bytes) => {
    const { tpm } = answering(bytes, answer(TIME))
    expect((await refusalOf(readClock(tpm))).code).toBe('tpm.command-failed')
    await expect(readClock(tpm)).resolves.toBeDefined()
  })

  test('that announces four thousand million handles is refused at once', async () => {
    const { tpm } = answering(answer(fromHex('0000000001ffffffff')))
    expect((await refusalOf(readHandles(tpm, 0x80000000))).code).toBe('tpm.command-failed')
  })

  test('with more values than TPML_DIGEST holds is refused', async () => {
    const values = (count: number) => `0000000${count}${'0000'.repeat(count)}`
    const of = (bitmap: string, count: number) =>
      answering(answer(fromHex(`0000000000000001000b03${bitmap}${values(count)}`))).tpm
    const selection = [{ bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7] }] as const
    await expect(readPcrs(of('ff0000', 8), selection)).resolves.toBeDefined()
    expect((await refusalOf(readPcrs(of('ff0100', 9), selection))).code).toBe('tpm.command-failed')
  })

  test.each([0x908, 0x90a, 0x922, 0xb0922])('that asks to retry (0x%s) is asked again, five times', async (rc) => {
    const patient = answering(refusing(rc), refusing(rc), refusing(rc), refusing(rc), answer(TIME))
    await expect(readClock(patient.tpm)).resolves.toBeDefined()
    expect(new Set(patient.sent).size).toBe(1)
    const stubborn = answering(refusing(rc))
    expect(await refusalOf(readClock(stubborn.tpm))).toMatchObject({ code: 'tpm.command-failed', rc })
    expect(stubborn.sent).toHaveLength(5)
  })

  test.each([
    [0x921, 'TPM_RC_LOCKOUT'],
    [0x9a2, 'TPM_RC_BAD_AUTH, session 1'],
    [0x18b, 'TPM_RC_HANDLE, handle 1'],
    [0x2d5, 'TPM_RC_SIZE, parameter 2'],
    [0xb0143, 'TPM_RC_COMMAND_CODE'],
  ])('of 0x%s is a refusal by the name of the standard', async (rc, text) => {
    const refusal = await refusalOf(readClock(answering(refusing(rc)).tpm))
    expect(refusal).toBeInstanceOf(TpmCommandError)
    expect(refusal).toMatchObject({ rc, command: 'TPM2_ReadClock' })
    expect(refusal.message).toContain(text)
  })
})

test('a TPM that says it reads NV by zero bytes is read all the same', async () => {
  // TPM2B_NV_PUBLIC of four bytes, TPM2B_NAME; TPM_PT_NV_BUFFER_MAX of 0; four bytes of content.
  const nvPublic = answer(fromHex('000e01c00002000b00000000000000040000'))
  const property = answer(fromHex('0000000006000000010000012c00000000'))
  const content = answer(fromHex('000000060004010203040000010000'), { tag: 0x8002 })
  const { tpm } = answering(nvPublic, property, content)
  expect(toHex((await readNvIndex(tpm, 0x01c00002)) ?? new Uint8Array(0))).toBe('01020304')
})

test.each([
  ['as it should be', '000000000000010000', undefined],
  ['with another size of its parameters', '000000010000010000', 'tpm.command-failed'],
  ['without an authorization', '00000000', 'tpm.command-failed'],
  ['with one authorization more', '0000000000000100000000010000', 'tpm.command-failed'],
])('an answer to an authorized command, %s', async (_, body, code) => {
  const { tpm, sent } = answering(answer(fromHex(body), { tag: 0x8002 }))
  const ended = await extendPcr(tpm, 9, new Map([['sha1', new Uint8Array(20)]])).catch((error: KeepsealError) => error)
  expect(ended?.code).toBe(code)
  // TPM_ST_SESSIONS, handle 9, TPMS_AUTH_COMMAND of TPM_RS_PW, one digest.
  expect(sent[0]).toBe(`800200000035000001820000000900000009400000090000010000000000010004${'00'.repeat(20)}`)
})

const [PROFILE] = ENDORSEMENT_KEY_PROFILES
if (PROFILE === undefined) throw new Error('no profile')
const SELECTION = [{ bank: 'sha256', pcrs: [0, 1, 2] }] as const
const CHALLENGE = { credentialBlob: new Uint8Array(2), encryptedSecret: new Uint8Array(2) }

const USES: readonly ((tpm: Tpm) => Promise<unknown>)[] = [
  describeTpm,
  readTpmAttributes,
  readClock,
  readEndorsementKey,
  (tpm) => createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: new Uint8Array(32) }),
  (tpm) => activateCredential(tpm, PROFILE.template, 0x80000000, CHALLENGE),
  (tpm) => readPublic(tpm, 0x80000000),
  (tpm) => saveContext(tpm, 0x80000000),
  (tpm) => loadContext(tpm, new Uint8Array(18)),
  (tpm) => readNvIndex(tpm, 0x01c00002),
  (tpm) => readPcrs(tpm, SELECTION),
  (tpm) =>
    takeQuoteWithPcrs(
      tpm,
      { handle: 0x80000000, publicArea: PROFILE.template, publicBytes: new Uint8Array(0), name: new Uint8Array(0) },
      { selection: SELECTION, extraData: new Uint8Array(32) },
    ),
]

/** Small numbers, so that counts and sizes that fit come up as well. */
const bytes = fc.uint8Array({ maxLength: 200 })
const likely = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 255 })), {
  maxLength: 120,
})
const answers = fc.array(
  fc.oneof(
    bytes,
    bytes.map((body) => answer(body)),
    likely.map((body) => answer(Uint8Array.from(body))),
    likely.map((body) => answer(Uint8Array.from(body), { tag: 0x8002 })),
    fc.integer({ min: 0, max: 0xfff }).map(refusing),
  ),
  { minLength: 1, maxLength: 6 },
)

test('whatever the answers are, what comes of them is a value or an error with a code', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...USES), answers, async (use, given) => {
      const { tpm, sent } = answering(...given)
      try {
        await use(tpm)
      } catch (error) {
        if (!(error instanceof KeepsealError || error instanceof OutcomeError)) throw error
      }
      await tpm.close()
      expect(sent.length).toBeLessThan(1000)
    }),
    { numRuns: 3000 },
  )
})
