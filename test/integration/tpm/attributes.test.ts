import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attributesAt } from '../../../agent/attest/tpm-attributes.ts'
import { measureAll } from '../../../agent/sensors/registry.ts'
import { tpmSensor } from '../../../agent/sensors/tpm.ts'
import type { TpmAttributes } from '../../../agent/tpm/commands/attributes.ts'
import { extendPcr } from '../../../agent/tpm/commands/pcrs.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { encodeSection } from '../../../shared/posture/canonical.ts'
import { treeHost } from '../../support/host-tree.ts'
import { sha256 } from '../../support/posture.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { tpm2 } from '../../support/tpm2-tools.ts'

let swtpm: SoftwareTpm
beforeAll(async () => {
  swtpm = await startSwtpm({ withEkCertificate: false, banks: ['sha1', 'sha256', 'sha384'] })
})
afterAll(() => swtpm.stop())

async function attributes(tcti = swtpm.tcti): Promise<TpmAttributes> {
  const answer = await attributesAt(tcti)?.()
  if (answer?.status !== 'found') throw new Error(answer?.status ?? 'no TPM')
  return answer.value
}

const reading = async (tcti: string | undefined) =>
  (await measureAll(treeHost({}, { tpm: attributesAt(tcti) }), [tpmSensor])).get('tpm')?.reading

/** `NAME: 0xVALUE`, `NAME: 1` and the blocks of tpm2_getcap's YAML that hold a line `raw: 0xVALUE`. */
function numbersIn(yaml: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  let block = ''
  for (const line of yaml.split('\n')) {
    const [, indent = '', name = '', value = ''] = /^(\s*)(\w+):\s*(\S*)/.exec(line) ?? []
    if (indent === '') block = name
    if (value !== '' && !Number.isNaN(Number(value))) numbers.set(name === 'raw' ? block : name, Number(value))
  }
  return numbers
}

async function extend(pcr: number, ...banks: ('sha1' | 'sha256')[]): Promise<void> {
  const tpm = await openTpm(swtpm.tcti)
  await extendPcr(tpm, pcr, new Map(banks.map((bank) => [bank, new Uint8Array(bank === 'sha1' ? 20 : 32).fill(7)])))
  await tpm.close()
}

describe('what the TPM says about itself', () => {
  test('is what tpm2_getcap reads', async () => {
    const { content, lockoutCounter } = await attributes()
    const fixed = numbersIn(await tpm2(swtpm.tcti, 'getcap', 'properties-fixed'))
    const variable = numbersIn(await tpm2(swtpm.tcti, 'getcap', 'properties-variable'))
    const flag = (name: string): boolean => variable.get(name) === 1
    const halves = [fixed.get('TPM2_PT_FIRMWARE_VERSION_1') ?? -1, fixed.get('TPM2_PT_FIRMWARE_VERSION_2') ?? -1]
    expect(content).toEqual({
      family: { value: '2.0' },
      revision: { value: fixed.get('TPM2_PT_REVISION') },
      manufacturer: { value: 'IBM' },
      model: { value: 'SW   TPM' },
      firmware: { value: halves.map((half) => `${Math.floor(half / 65_536)}.${half % 65_536}`).join('.') },
      permanent: {
        value: {
          ownerAuthSet: flag('ownerAuthSet'),
          endorsementAuthSet: flag('endorsementAuthSet'),
          lockoutAuthSet: flag('lockoutAuthSet'),
          disableClear: flag('disableClear'),
          inLockout: flag('inLockout'),
        },
      },
      startup: {
        value: {
          phEnable: flag('phEnable'),
          shEnable: flag('shEnable'),
          ehEnable: flag('ehEnable'),
          phEnableNV: flag('phEnableNV'),
        },
      },
      lockout: {
        value: {
          maxAuthFail: variable.get('TPM2_PT_MAX_AUTH_FAIL'),
          intervalSeconds: variable.get('TPM2_PT_LOCKOUT_INTERVAL'),
          recoverySeconds: variable.get('TPM2_PT_LOCKOUT_RECOVERY'),
        },
      },
      banks: ['sha1', 'sha256', 'sha384'].map((bank) => ({ bank, firmwarePcrs: { value: 'never' } })),
    })
    expect(lockoutCounter).toEqual({ value: variable.get('TPM2_PT_LOCKOUT_COUNTER') })
    expect(content.startup).toMatchObject({ value: { phEnable: true } })
  })

  test('follows a password that was set and a clear that was forbidden', async () => {
    await tpm2(swtpm.tcti, 'changeauth', '-c', 'owner', 'secret')
    await tpm2(swtpm.tcti, 'clearcontrol', '-C', 'l', 's')
    expect((await attributes()).content.permanent).toMatchObject({
      value: { ownerAuthSet: true, endorsementAuthSet: false, disableClear: true },
    })
    await tpm2(swtpm.tcti, 'changeauth', '-c', 'owner', '-p', 'secret', '')
  })

  test('follows the settings of the lockout', async () => {
    await tpm2(swtpm.tcti, 'dictionarylockout', '-s', '-n', '5', '-t', '60', '-l', '90')
    expect((await attributes()).content.lockout).toEqual({
      value: { maxAuthFail: 5, intervalSeconds: 60, recoverySeconds: 90 },
    })
  })
})

test('a bank that was extended everywhere, somewhere or nowhere is told apart, as tpm2_pcrread shows it', async () => {
  for (let pcr = 0; pcr < 8; pcr++) await extend(pcr, 'sha256')
  await extend(3, 'sha1')
  const read = await tpm2(swtpm.tcti, 'pcrread', 'sha1:0,1,2,3,4,5,6,7+sha256:0,1,2,3,4,5,6,7+sha384:0,1,2,3,4,5,6,7')
  const extended = [...read.matchAll(/^ {2}(sha\d+):((?:\n {4}.*)*)/gm)].map(
    ([, bank, lines = '']) => `${bank} ${[...lines.matchAll(/0x(?!0+$)[0-9A-F]+/gm)].length}`,
  )
  expect(extended).toEqual(['sha1 1', 'sha256 8', 'sha384 0'])
  expect((await attributes()).content.banks).toEqual([
    { bank: 'sha1', firmwarePcrs: { value: 'partly' } },
    { bank: 'sha256', firmwarePcrs: { value: 'extended' } },
    { bank: 'sha384', firmwarePcrs: { value: 'never' } },
  ])
})

test('the lockout counter is state, and not in the section', async () => {
  const before = await reading(swtpm.tcti)
  expect(before).toMatchObject({ status: 'measured', state: { 'tpm.lockout-counter': 0 } })
  await tpm2(swtpm.tcti, 'nvdefine', '0x1500001', '-C', 'o', '-s', '8', '-p', 'right', '-a', 'authread|authwrite')
  await expect(tpm2(swtpm.tcti, 'nvread', '0x1500001', '-C', '0x1500001', '-P', 'wrong')).rejects.toThrow()
  const after = await reading(swtpm.tcti)
  expect(after).toMatchObject({ status: 'measured', state: { 'tpm.lockout-counter': 1 } })
  const digest = (one: typeof before): string => toHex(encodeSection('tpm', one as never, sha256).digest)
  expect(digest(after)).toBe(digest(before))
})

test('a machine without a TPM says so, and one whose TPM does not answer says something else', async () => {
  expect(await reading(undefined)).toEqual({ status: 'not-supported', reason: 'no-tpm' })
  expect(await reading('swtpm:host=127.0.0.1,port=1')).toMatchObject({ status: 'failed', code: 'input-unreadable' })
})
