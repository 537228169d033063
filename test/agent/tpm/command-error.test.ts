import { describe, expect, test } from 'vitest'
import { RESPONSE, TpmCommandError, withEndorsementAuthorization } from '../../../agent/tpm/command-error.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

const error = (rc: number): TpmCommandError => new TpmCommandError('Esys_Any', rc, 'as explained')

describe('a response code', () => {
  test.each([
    ['of the TPM, about handle 1', 0x18b, RESPONSE.handle],
    ['of the TPM, about session 1', 0x9a2, RESPONSE.badAuthorization],
    ['of the TPM, through a resource manager', 0xb09a2, RESPONSE.badAuthorization],
    ['of the TPM, about nothing in particular', 0x14a, RESPONSE.nvUninitialized],
    ['of the TPM, a warning', 0x921, 0x921],
    ['of the resource manager itself', 0xc0001, undefined],
    ['of the library', 0x70007, undefined],
  ])('%s, is told from the others', (_, rc, response) => {
    expect(error(rc).response).toBe(response)
  })

  test.each([
    ['an I/O failure of the transport', 0xa000a, true],
    ['any other failure of the transport', 0xa0001, true],
    ['a context that waits for another answer', 0x70007, true],
    ['a wrong argument', 0x7000b, false],
    ['a refusal of the TPM', 0x9a2, false],
    ['a refusal through a resource manager', 0xb0902, false],
  ])('of %s says whether the connection is lost', (_, rc, lost) => {
    expect(error(rc).connectionLost).toBe(lost)
  })
})

test('only a refused authorization means a locked hierarchy', async () => {
  const refuse = (rc: number) => refusalOf(withEndorsementAuthorization(() => Promise.reject(error(rc))))
  expect((await refuse(0x9a2)).code).toBe('tpm.hierarchy-locked')
  expect((await refuse(0x902)).code).toBe('tpm.command-failed')
})
