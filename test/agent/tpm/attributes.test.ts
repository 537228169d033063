import { describe, expect, test } from 'vitest'
import { readTpmAttributes } from '../../../agent/tpm/commands/attributes.ts'
import { ESAPI } from '../../../agent/tpm/esapi.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { ByteWriter } from '../../../shared/bytes/writer.ts'
import type { PcrBank } from '../../../shared/tpm/constants.ts'
import { encodePcrSelection, parsePcrSelection } from '../../../shared/tpm/pcr-selection.ts'

interface FakeTpm {
  readonly properties?: ReadonlyMap<number, number>
  /** PCR values by bank: those are allocated. */
  readonly banks?: ReadonlyMap<PcrBank, ReadonlyMap<number, Uint8Array>>
}

const TPM_CAP_PCRS = 5

/** Answers the two commands that are asked, as Part 2 sections 10.8.2, 10.9.7 and 10.10.2 write them. */
function fakeTpm({ properties = new Map(), banks = new Map() }: FakeTpm): Tpm {
  const capability = (kind: number, first: number, limit: number): Uint8Array => {
    const writer = new ByteWriter().u32(kind)
    if (kind === TPM_CAP_PCRS) {
      const selection = [...banks].map(([bank, values]) => ({ bank, pcrs: [...values.keys()] }))
      return writer.bytes(encodePcrSelection(selection)).finish()
    }
    const found = [...properties].filter(([property]) => property >= first).slice(0, limit)
    writer.u32(found.length)
    for (const [property, value] of found) writer.u32(property).u32(value)
    return writer.finish()
  }
  const pcrs = (selection: Uint8Array) => {
    const [{ bank, pcrs: wanted } = { bank: 'sha256' as PcrBank, pcrs: [] }] = parsePcrSelection(selection)
    const values = wanted.map((pcr) => banks.get(bank)?.get(pcr)).filter((value) => value !== undefined)
    const digests = new ByteWriter().u32(values.length)
    for (const value of values) digests.sized16(value)
    return [0, encodePcrSelection([{ bank, pcrs: wanted }]), digests.finish()]
  }
  const execute = (command: unknown, inputs: readonly unknown[]): Promise<unknown> => {
    if (command === ESAPI.pcrRead) return Promise.resolve(pcrs(inputs[3] as Uint8Array))
    const [, , , kind, first, limit] = inputs as number[]
    return Promise.resolve([0, capability(kind ?? 0, first ?? 0, limit ?? 0)])
  }
  return { execute } as unknown as Tpm
}

const filled = (byte: number, last = byte): Uint8Array => {
  const value = new Uint8Array(32).fill(byte)
  value[31] = last
  return value
}
const EXTENDED = filled(0x5a)
const pcrs = (valueOf: (pcr: number) => Uint8Array, count = 24) =>
  new Map(Array.from({ length: count }, (_, pcr) => [pcr, valueOf(pcr)]))

async function bankOf(values: ReadonlyMap<number, Uint8Array>, bank: PcrBank = 'sha256') {
  const { content } = await readTpmAttributes(fakeTpm({ banks: new Map([[bank, values]]) }))
  return content.banks.map(({ firmwarePcrs }) => firmwarePcrs)
}

describe('whether firmware has extended a bank', () => {
  test.each([
    ['all zeros', pcrs(() => filled(0)), 'never'],
    ['all ones', pcrs(() => filled(0xff)), 'never'],
    ['the locality of the start in PCR 0 alone', pcrs((pcr) => filled(0, pcr === 0 ? 3 : 0)), 'never'],
    ['a 3 at the end of another PCR', pcrs((pcr) => filled(0, pcr === 1 ? 3 : 0)), 'partly'],
    ['no locality at the end of PCR 0', pcrs((pcr) => filled(0, pcr === 0 ? 5 : 0)), 'partly'],
    ['one extended', pcrs((pcr) => (pcr === 7 ? EXTENDED : filled(0))), 'partly'],
    ['one left out', pcrs((pcr) => (pcr === 6 ? filled(0) : EXTENDED)), 'partly'],
    ['all extended', pcrs(() => EXTENDED), 'extended'],
    ['later ones extended by the system alone', pcrs((pcr) => (pcr > 7 ? EXTENDED : filled(0))), 'never'],
    ['fewer PCRs than the firmware has, all extended', pcrs(() => EXTENDED, 4), 'partly'],
  ])('%s: %s', async (_, values, value) => {
    expect(await bankOf(values)).toEqual([{ value }])
  })

  test('a bank without any of the PCRs of the firmware says nothing', async () => {
    expect(await bankOf(new Map([[16, EXTENDED]]))).toEqual([{ missing: 'absent' }])
  })

  test('a bank whose algorithm cannot be computed is looked at as well', async () => {
    expect(
      await bankOf(
        pcrs(() => filled(0)),
        'sm3-256',
      ),
    ).toEqual([{ value: 'never' }])
  })
})

test('what the TPM does not tell is absent, never zero or off', async () => {
  const absent = { missing: 'absent' }
  expect(await readTpmAttributes(fakeTpm({}))).toEqual({
    content: {
      family: absent,
      revision: absent,
      manufacturer: absent,
      model: absent,
      firmware: absent,
      permanent: absent,
      startup: absent,
      lockout: absent,
      banks: [],
    },
    lockoutCounter: absent,
  })
})

test('flags, versions and texts are read bit by bit', async () => {
  const properties = new Map([
    [0x100, 0x322e3000],
    [0x102, 138],
    [0x105, 0x49465800],
    [0x106, 0x534c4239],
    [0x107, 0x36373000],
    [0x108, 0],
    [0x109, 0],
    [0x10b, 0x00070055],
    [0x10c, 0xffff_cb00],
    [0x200, 0b10_0000_0101],
    [0x201, 0x8000_0006],
    [0x20e, 3],
    [0x20f, 32],
    [0x210, 600],
    [0x211, 86_400],
  ])
  expect(await readTpmAttributes(fakeTpm({ properties }))).toMatchObject({
    content: {
      family: { value: '2.0' },
      revision: { value: 138 },
      manufacturer: { value: 'IFX' },
      model: { value: 'SLB9670' },
      firmware: { value: '7.85.65535.51968' },
      permanent: {
        value: {
          ownerAuthSet: true,
          endorsementAuthSet: false,
          lockoutAuthSet: true,
          disableClear: false,
          inLockout: true,
        },
      },
      startup: { value: { phEnable: false, shEnable: true, ehEnable: true, phEnableNV: false } },
      lockout: { value: { maxAuthFail: 32, intervalSeconds: 600, recoverySeconds: 86_400 } },
    },
    lockoutCounter: { value: 3 },
  })
})
