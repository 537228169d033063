import { expect, test } from 'vitest'
import { damageOf } from '../../support/eventlog-damage.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { digestsOfPcrFile } from '../../support/pcr-file.ts'

/** Every seventh byte, and another bit in each: all of them would take minutes. */
const STEP = 7

fixturesDescribe('vm-sb', 'the log of a virtual machine under its true quote', () => {
  const damage = () =>
    damageOf(
      readFixture('vm-sb', 'binary_bios_measurements'),
      new Map(digestsOfPcrFile(readFixture('vm-sb', 'quote.pcrs')).entries()),
    )

  test('is a good one', () => {
    expect(damage().truth).toMatchObject({ secureBoot: { enabled: true, problems: [] }, problems: [], locality: 0 })
  })

  test('with a flipped bit is refused or says the same', () => {
    const { whole, harmless } = damage()
    for (let offset = 0; offset < whole.length; offset += STEP) {
      const damaged = Buffer.from(whole)
      damaged[offset] = (damaged[offset] ?? 0) ^ (1 << (offset % 8))
      expect(harmless(damaged), `byte ${offset}`).toBe(true)
    }
  })

  test('cut at any byte is refused or says the same', () => {
    const { whole, harmless } = damage()
    for (let length = 0; length < whole.length; length += STEP) {
      expect(harmless(whole.subarray(0, length)), `length ${length}`).toBe(true)
    }
  })

  test('with events of any kind appended says the same', () => {
    const { whole, harmless } = damage()
    // From the first event behind the Spec ID event on: a second boot that nothing measured.
    for (const start of [45, 65, whole.length >> 1]) {
      expect(harmless(Buffer.concat([whole, whole.subarray(start)])), `from ${start}`).toBe(true)
    }
  })
})
