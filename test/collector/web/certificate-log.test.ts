import { describe, expect, it } from 'vitest'
import { logOfCertificate } from '../../../collector/web/verify/certificate-log.ts'
import { decodeCertificateFile } from '../../../shared/certificate/file.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { newPerson } from '../../../shared/decisions/person.ts'
import { finishWebAuthnEntry, prepareWebAuthnEntry } from '../../../shared/decisions/webauthn-entry.ts'
import { certificateFile } from '../../support/certificate-file.ts'
import { approveProfile, DecidingPeople, issueCertificate, signatory } from '../../support/decision-log.ts'
import { SoftwareAuthenticator } from '../../support/software-authenticator.ts'

async function decided() {
  const people = await DecidingPeople.begin()
  await approveProfile(people, 1, 3)
  await issueCertificate(people)
  return people
}

const codeOf = (action: Promise<unknown>): Promise<unknown> =>
  action.then(
    () => 'holds',
    (error: unknown) => (error as { code?: string }).code,
  )

describe('the log of a certificate in a browser', () => {
  it('says who decided what on which facts, and what follows what', async () => {
    const people = await decided()
    const { log, decisions, headIndex } = await logOfCertificate(await certificateFile(people))
    expect(log).toMatch(/^[0-9a-f]{32}$/)
    expect(headIndex).toBe(people.entries.length - 1)
    const issued = decisions.find(({ kind }) => kind === 'certificate.issue')
    expect(issued).toMatchObject({ subject: 'crt_1', author: { role: 'certifier', isPasskey: false }, link: 'follows' })
    expect(issued?.reason).not.toBe('')
    expect(decisions[0]).toMatchObject({ index: 0, link: 'first' })
  })

  it('shows that entries about other things are left out', async () => {
    const people = await decided()
    await issueCertificate(people, 'crt_2')
    await people.decide(people.certifier, 'certificate.withdraw', 'crt_1', { reason: 'the vendor asked for it' })
    const { decisions } = await logOfCertificate(await certificateFile(people))
    expect(decisions.at(-1)).toMatchObject({ kind: 'certificate.withdraw', link: 'gap' })
  })

  it.each(['P-256', 'Ed25519'] as const)(
    'verifies what a passkey on %s has signed, and no forgery of it',
    async (curve) => {
      const people = await decided()
      const passkey = new SoftwareAuthenticator(curve)
      const detail = newPerson('Cleo', 'certifier', passkey.key, passkey.relyingParty)
      await people.decide(people.certifier, 'person.add', 'per_cleo', detail)
      const somebody = signatory('per_new', 'auditor')
      const content = { log: people.id, ...people.log.next(), at: people.now, kind: 'person.add', subject: somebody.id }
      const added = { ...content, detail: { ...newPerson('New', 'auditor', somebody.key) } }
      const prepared = prepareWebAuthnEntry(added, passkey.key, nodeCrypto.hash)
      const assertion = passkey.get(prepared.challenge)
      const { entries, ...file } = decodeCertificateFile(await certificateFile(people))
      const withEntry = (entry: Uint8Array) => certificateFile(people, { ...file, entries: [...entries, entry] })
      const { decisions } = await logOfCertificate(await withEntry(finishWebAuthnEntry(prepared, assertion)))
      expect(decisions.at(-1)).toMatchObject({ subject: 'per_new', author: { name: 'Cleo', isPasskey: true } })
      const signature = Uint8Array.from(assertion.signature)
      signature[signature.length - 1] = (signature.at(-1) as number) ^ 1
      const forged = finishWebAuthnEntry(prepared, { ...assertion, signature })
      expect(await codeOf(withEntry(forged).then(logOfCertificate))).toBe('log.signature-invalid')
    },
  )

  it('does not hold with any entry left out within, repeated, swapped or changed', async () => {
    const people = await decided()
    const { entries, ...file } = decodeCertificateFile(await certificateFile(people))
    const withEntries = async (changed: readonly Uint8Array[]) =>
      codeOf(logOfCertificate(await certificateFile(people, { ...file, entries: changed })))
    const [first, second, ...rest] = entries
    if (first === undefined || second === undefined) return expect.fail()
    expect(await withEntries(entries)).toBe('holds')
    expect(await withEntries([second, ...rest])).not.toBe('holds')
    expect(await withEntries([first, second, second, ...rest])).not.toBe('holds')
    expect(await withEntries([second, first, ...rest])).not.toBe('holds')
    const changed = Uint8Array.from(second)
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1
    expect(await withEntries([first, changed, ...rest])).not.toBe('holds')
  })
})
