import { describe, expect, test } from 'vitest'
import { deviceChannel, type DeviceFile } from '../../../../agent/tpm/device/device-file.ts'
import { fromHex, toHex } from '../../../../shared/bytes/bytes.ts'
import { refusalOf } from '../../../support/keepseal-error.ts'

const COMMAND = fromHex('80010000000a00000181')
const ANSWER = fromHex('80010000000c000000000102')

const failure = (code: string): Error => Object.assign(new Error(code), { code })

/** A file that gives what is listed, in turn: bytes to read, or the code of an error. What is left out is the end. */
function fileThat(gives: { write?: (number | string)[]; read?: (Uint8Array | string)[] }) {
  const { write = [COMMAND.length], read = [ANSWER] } = gives
  const calls: string[] = []
  const file = {
    write: () => {
      calls.push('write')
      const next = write.shift() ?? COMMAND.length
      return typeof next === 'string' ? Promise.reject(failure(next)) : Promise.resolve({ bytesWritten: next })
    },
    read: (into: Uint8Array, offset: number, length: number) => {
      calls.push('read')
      const next = read.shift() ?? new Uint8Array(0)
      if (typeof next === 'string') return Promise.reject(failure(next))
      into.set(next.subarray(0, length), offset)
      return Promise.resolve({ bytesRead: Math.min(length, next.length) })
    },
    close: () => Promise.resolve(),
  }
  return { channel: deviceChannel('/dev/tpmrm0', file as unknown as DeviceFile), calls }
}

describe('a command to a device file', () => {
  test('is one write, and its answer one read', async () => {
    const { channel, calls } = fileThat({})
    expect(toHex(await channel.send(COMMAND))).toBe(toHex(ANSWER))
    expect(calls).toEqual(['write', 'read'])
  })

  test('is written again while another has the device, or a signal came', async () => {
    const { channel, calls } = fileThat({ write: ['EBUSY', 'EAGAIN', 'EINTR'], read: ['EAGAIN', ANSWER] })
    expect(toHex(await channel.send(COMMAND))).toBe(toHex(ANSWER))
    expect(calls).toEqual(['write', 'write', 'write', 'write', 'read', 'read'])
  })

  test('is given up after six times', async () => {
    const { channel, calls } = fileThat({ write: Array.from({ length: 10 }, () => 'EBUSY') })
    const refusal = await refusalOf(channel.send(COMMAND))
    expect([refusal.code, refusal.detail]).toEqual(['tpm.unavailable', '/dev/tpmrm0: EBUSY'])
    expect(calls).toHaveLength(6)
  })

  test.each([
    ['any other failure to write', { write: ['EPIPE'] }, 1],
    ['any other failure to read', { read: ['EIO'] }, 2],
    ['a write of a part of it', { write: [4] }, 1],
  ])('%s ends at once', async (_, gives, calls) => {
    const file = fileThat(gives)
    expect((await refusalOf(file.channel.send(COMMAND))).code).toBe('tpm.unavailable')
    expect(file.calls).toHaveLength(calls)
  })
})

describe('an answer from a device file', () => {
  test('in pieces is put together', async () => {
    const { channel } = fileThat({ read: [ANSWER.subarray(0, 3), ANSWER.subarray(3, 11), ANSWER.subarray(11)] })
    expect(toHex(await channel.send(COMMAND))).toBe(toHex(ANSWER))
  })

  test('that ends early is what there is of it', async () => {
    const { channel, calls } = fileThat({ read: [ANSWER.subarray(0, 11)] })
    expect(await channel.send(COMMAND)).toHaveLength(11)
    expect(calls).toEqual(['write', 'read', 'read'])
  })

  test('that announces four gigabytes is read no further than the kernel gives', async () => {
    const more = new Uint8Array(4096)
    const { channel } = fileThat({ read: [fromHex('8001ffffffff00000000'), more, more, more] })
    expect(await channel.send(COMMAND)).toHaveLength(4096)
  })
})
