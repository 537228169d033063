import { describe, expect, it } from 'vitest'
import { endpoints } from '../../collector/api/endpoints/index.ts'

describe('every endpoint', () => {
  it('says what it is for somebody who is bound to a vendor', () => {
    const silent = endpoints.filter(({ scope }) => !['own', 'common', 'unbound'].includes(scope))
    expect(silent.map(({ operationId }) => operationId)).toEqual([])
  })
})
