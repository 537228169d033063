import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { BUILD_TIME_MS, objectionAtFloor, timeFloor } from '../../../agent/transport/floor.ts'
import { createPki } from '../../support/pki.ts'

const pki = createPki()
const authority = new X509Certificate(pki.authority)
const server = new X509Certificate(pki.server().cert)
const end = Date.parse(server.validTo)

describe('a certificate that is looked at with a clock that is wrong', () => {
  it('holds until it has ended, however late it began', () => {
    expect(objectionAtFloor(server, [authority], 'localhost', 0)).toBeUndefined()
    expect(objectionAtFloor(server, [authority], 'localhost', end)).toBeUndefined()
    expect(objectionAtFloor(server, [authority], 'localhost', end + 1000)).toBe('it has expired')
  })

  it('has to be by the authority of the enrolment', () => {
    const other = new X509Certificate(createPki().authority)
    expect(objectionAtFloor(server, [other], 'localhost', 0)).toContain('authority')
    expect(objectionAtFloor(server, [server], 'localhost', 0)).toContain('authority')
  })

  it('has to be for this server', () => {
    expect(objectionAtFloor(server, [authority], 'other.example', 0)).toContain('other.example')
    const client = new X509Certificate(pki.device('0100').cert)
    expect(objectionAtFloor(client, [authority], '0100', 0)).toBeDefined()
  })
})

describe('the time floor', () => {
  const began = Date.parse(server.validFrom)
  it('is the latest of what is known to have passed', () => {
    const known = { certificate: pki.server().cert, newestEpochMs: null }
    expect(timeFloor(known)).toBe(Math.max(began, BUILD_TIME_MS))
    expect(timeFloor({ ...known, newestEpochMs: end })).toBe(end)
  })
})
