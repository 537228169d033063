import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadCollectorConfig } from '../../../collector/config/load.ts'
import { storeLocation } from '../../../collector/config/store-location.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('store-location')

const locationOf = (...set: string[]) => storeLocation(loadCollectorConfig({ set }, {}).values)
const postgresql = (...set: string[]) => locationOf('store.engine=postgresql', ...set)

it('is a file in the data directory by default', async () => {
  expect(await locationOf('data.directory=/srv/collector')).toEqual({ path: '/srv/collector/collector.db' })
})

it.each([
  ['a socket', '/run/postgresql', false],
  ['this machine', 'localhost', false],
  ['another machine', 'db.example.org', { ca: undefined, caFile: '' }],
  ['an address', '192.0.2.1', { ca: undefined, caFile: '' }],
])('is reached through %s with the TLS that it needs', async (_, host, tls) => {
  expect(await postgresql(`postgresql.host=${host}`)).toMatchObject({ postgres: { host, tls, password: undefined } })
})

it('is reached by TLS where an authority is named, on this machine too', async () => {
  const caFile = join(scratch(), 'ca.pem')
  writeFileSync(caFile, 'PEM')
  const location = await postgresql('postgresql.host=localhost', `postgresql.ca_file=${caFile}`)
  expect(location).toMatchObject({ postgres: { tls: { ca: 'PEM', caFile } } })
  await expect(postgresql('postgresql.host=localhost', `postgresql.ca_file=${caFile}.none`)).rejects.toMatchObject({
    code: 'file.unreadable',
  })
})

it('has its password from a file that nobody else can read, without the line end', async () => {
  const file = join(scratch(), 'password')
  writeFileSync(file, 'secret \n', { mode: 0o600 })
  const location = await postgresql(`postgresql.password_file=${file}`)
  expect(location).toMatchObject({ postgres: { password: 'secret ' } })
  const open = join(scratch(), 'open')
  writeFileSync(open, 'secret', { mode: 0o644 })
  await expect(postgresql(`postgresql.password_file=${open}`)).rejects.toMatchObject({
    code: 'state.insecure-permissions',
  })
})
