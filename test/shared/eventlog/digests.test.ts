import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { EVENT_TYPE, type EventTypeName } from '../../../shared/eventlog/constants.ts'
import { proofOf } from '../../../shared/eventlog/digests.ts'
import { ascii, digestOf, GLOBAL, utf16, variableData } from '../../support/eventlog-builder.ts'

const proof = (type: EventTypeName, data: Uint8Array, hashed: Uint8Array) =>
  proofOf({ claimedType: EVENT_TYPE[type], data, digest: digestOf('sha256', hashed) }, 'sha256', hash)

const variable = variableData('Boot0001', GLOBAL, ascii('value'))

describe('data is proven when the digest covers', () => {
  test.each<[string, EventTypeName, Buffer, Buffer, string]>([
    ['all of it', 'EV_SEPARATOR', Buffer.alloc(4), Buffer.alloc(4), 'event-data'],
    [
      'an action without the terminator that is logged',
      'EV_EFI_ACTION',
      ascii('Calling\0'),
      ascii('Calling'),
      'without-terminator',
    ],
    ['an action with its terminator', 'EV_EFI_ACTION', ascii('Calling\0'), ascii('Calling\0'), 'event-data'],
    ['all of it, of a type that need not', 'EV_NONHOST_INFO', ascii('x'), ascii('x'), 'event-data'],
    ['the value of a boot variable', 'EV_EFI_VARIABLE_BOOT', variable, ascii('value'), 'variable-value'],
    [
      'a structure with bytes behind it',
      'EV_EFI_VARIABLE_AUTHORITY',
      Buffer.concat([variable, Buffer.alloc(6)]),
      Buffer.concat([variable, Buffer.alloc(5)]),
      'structure',
    ],
    [
      'a structure alone',
      'EV_EFI_VARIABLE_AUTHORITY',
      Buffer.concat([variable, Buffer.alloc(8)]),
      variable,
      'structure',
    ],
    ['a command behind its prefix', 'EV_IPL', ascii('grub_cmd: set x\0'), ascii('set x'), 'command'],
    ['a command with its terminator', 'EV_IPL', ascii('grub_cmd set x\0'), ascii('set x\0'), 'command'],
    ['a kernel command line', 'EV_IPL', ascii('kernel_cmdline: /vmlinuz ro\0'), ascii('/vmlinuz ro'), 'command'],
    ['the ASCII name of a section', 'EV_IPL', utf16('.osrel\0'), ascii('.osrel\0'), 'section-name'],
    ['UTF-16 without terminator', 'EV_IPL', utf16('quiet\0'), utf16('quiet'), 'without-terminator'],
    [
      'one byte more of the terminator',
      'EV_IPL',
      utf16('quiet\0').subarray(0, -1),
      utf16('quiet\0'),
      'with-terminator',
    ],
  ])('%s', (_, type, data, hashed, coverage) => {
    expect(proof(type, data, hashed)).toEqual({ proof: 'data-hashed', coverage })
  })
})

describe('a digest of something else', () => {
  const DEFINED: EventTypeName[] = [
    'EV_SEPARATOR',
    'EV_S_CRTM_VERSION',
    'EV_EFI_ACTION',
    'EV_EFI_GPT_EVENT',
    'EV_EFI_VARIABLE_DRIVER_CONFIG',
    'EV_EFI_VARIABLE_AUTHORITY',
    'EV_EFI_VARIABLE_BOOT',
  ]
  test.each(DEFINED)('is a contradiction for %s', (type) => {
    expect(proof(type, variable, ascii('other'))).toEqual({ proof: 'mismatch' })
  })

  test.each<EventTypeName>(['EV_EFI_BOOT_SERVICES_APPLICATION', 'EV_IPL', 'EV_POST_CODE', 'EV_EVENT_TAG'])(
    'makes the data of %s a hint',
    (type) => {
      expect(proof(type, variable, ascii('other'))).toEqual({ proof: 'digest-only' })
    },
  )

  test.each<EventTypeName>(['EV_EFI_VARIABLE_DRIVER_CONFIG', 'EV_EFI_VARIABLE_AUTHORITY'])(
    'the value alone does not prove the name of %s',
    (type) => {
      expect(proof(type, variable, ascii('value')).proof).toBe('mismatch')
    },
  )

  test('more unhashed bytes than shim ever wrote', () => {
    const data = Buffer.concat([variable, Buffer.alloc(9)])
    expect(proof('EV_EFI_VARIABLE_AUTHORITY', data, variable).proof).toBe('mismatch')
  })

  test('part of a structure', () => {
    expect(proof('EV_EFI_VARIABLE_AUTHORITY', variable, variable.subarray(0, -1)).proof).toBe('mismatch')
  })

  test('a variable whose sizes exceed its data', () => {
    const data = Buffer.from(variable)
    data.fill(0xff, 16, 32)
    expect(proof('EV_EFI_VARIABLE_BOOT', data, ascii('other')).proof).toBe('mismatch')
  })
})
