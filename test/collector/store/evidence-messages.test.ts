import { join } from 'node:path'
import { describe, it } from 'vitest'
import { openDatabase } from '../../../collector/store/database.ts'
import { keepsItsMessages } from '../../support/kept-messages.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

describe('messages that an earlier version kept', () => {
  const scratch = useScratchDirectories('evidence-messages')

  it('are kept by this one', async () => {
    const db = openDatabase({ path: join(scratch(), 'collector.db') })
    await keepsItsMessages(db, (hex) => `x'${hex}'`)
    await db.destroy()
  })
})
