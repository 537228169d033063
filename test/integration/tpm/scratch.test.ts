import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openTpm } from '../../../agent/tpm/tpm.ts'
import { readNvIndex } from '../../../agent/tpm/commands/nv.ts'
import { readClock } from '../../../agent/tpm/commands/clock.ts'
import { describeTpm, readAllocatedBanks, readCurves } from '../../../agent/tpm/commands/capabilities.ts'
import { startSwtpm } from '../../support/swtpm.ts'
test('x', async () => {
  console.time('start')
  const s = await startSwtpm()
  console.timeEnd('start')
  console.log(s, readdirSync(s.stateDirectory), readdirSync(s.stateDirectory + '/authority'))
  const tpm = await openTpm(s.tcti)
  console.log(await describeTpm(tpm), await readCurves(tpm), await readAllocatedBanks(tpm), await readClock(tpm))
  for (const i of [0x1c00002, 0x1c00003,0x1c00004, 0x1c0000a, 0x1c00012, 0x1c00016,0x1c00017, 0x1c0001c]) console.log(i.toString(16), (await readNvIndex(tpm, i))?.length)
  await tpm.close()
  await s.stop()
  expect(1).toBe(1)
})
