import { expect, test } from 'vitest'
import { assertSqliteRuntime } from '../../../collector/store/sqlite-runtime.ts'

test.each(['20.19.0', '20.20.2', '22.23.3'])('the embedded database is opened by Node %s', (version) => {
  expect(() => assertSqliteRuntime(version)).not.toThrow()
})

test.each(['23.11.1', '24.21.0', '26.12.1', '100.0.0'])(
  'it is not opened by Node %s, which it would end',
  (version) => {
    expect(() => assertSqliteRuntime(version)).toThrow(expect.objectContaining({ code: 'state.runtime-unfit' }))
  },
)
