import { expect, it } from 'vitest'
import { describeStore } from './support.ts'
import { bytes, NOW } from './samples.ts'

describeStore('documents of profiles', (createStore) => {
  it('are kept as they were first handed in, and found by their digest alone', async () => {
    const { profileDocuments } = createStore()
    await profileDocuments.save(bytes('digest'), bytes('first'), NOW)
    await profileDocuments.save(bytes('digest'), bytes('second'), NOW + 1)
    expect(await profileDocuments.byDigest(bytes('digest'))).toEqual(bytes('first'))
    expect(await profileDocuments.byDigest(bytes('other'))).toBeUndefined()
  })
})
