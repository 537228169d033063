import { describe, expect, test } from 'vitest'
import { chooseTcti, describeTcti, deviceFileOf } from '../../../agent/tpm/tcti.ts'

describe('the choice of the TPM', () => {
  test('is the configured one, whether or not the kernel has another', () => {
    expect(chooseTcti('swtpm:host=127.0.0.1,port=2321', () => true)).toBe('swtpm:host=127.0.0.1,port=2321')
  })

  test('is the resource manager of the kernel where nothing is configured', () => {
    expect(chooseTcti(undefined, (path) => path === '/dev/tpmrm0')).toBe('device:/dev/tpmrm0')
    expect(chooseTcti('', (path) => path === '/dev/tpmrm0')).toBe('device:/dev/tpmrm0')
  })

  test('is never the device without a resource manager', () => {
    expect(chooseTcti(undefined, (path) => path === '/dev/tpm0')).toBeUndefined()
  })
})

test.each([
  [undefined, 'none'],
  ['device:/dev/tpmrm0', '/dev/tpmrm0'],
  ['device', 'the default TPM device'],
  ['swtpm:host=127.0.0.1,port=2400', 'software TPM at 127.0.0.1 port 2400'],
  ['swtpm', 'software TPM at localhost port 2321'],
  ['tabrmd', 'the TPM access broker (tpm2-abrmd)'],
  ['mssim:host=h', 'mssim:host=h'],
])('%s is described for people', (tcti, text) => {
  expect(describeTcti(tcti)).toBe(text)
})

test.each([
  ['device:/dev/tpmrm1', '/dev/tpmrm1'],
  ['device', '/dev/tpmrm0'],
  ['device:', '/dev/tpmrm0'],
  ['swtpm:path=/dev/tpmrm0', undefined],
  ['devices:/dev/tpmrm0', undefined],
])('%s names the file %s', (tcti, file) => {
  expect(deviceFileOf(tcti)).toBe(file)
})
