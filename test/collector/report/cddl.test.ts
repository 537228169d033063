import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { buildReport } from '../../../collector/report/build.ts'
import { REPORT_KINDS } from '../../../collector/report/model.ts'
import { encodeReport, signReport } from '../../../collector/report/signed.ts'
import { encodePlain } from '../../../shared/maturity/plain-cbor.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { finishWebAuthnEntry, prepareWebAuthnEntry } from '../../../shared/decisions/webauthn-entry.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { loadCddl } from '../../support/cddl.ts'
import { exampleDocument, exampleRecommendation, exampleStep } from '../../support/decision-log.ts'
import { DAY, PracticeFleet } from '../../support/practice-fleet.ts'
import { SoftwareAuthenticator } from '../../support/software-authenticator.ts'
import { NOW } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const file = new URL('../../../shared/evidence/keepseal.cddl', import.meta.url)
const { check } = loadCddl(readFileSync(file, 'utf8'))

describeStore('the CDDL of decisions and reports', (createStore) => {
  it('is what real ones are, of every kind of report, and nothing else', async () => {
    const fleet = await PracticeFleet.certified(createStore())
    await fleet.add(3, { postureDigest: await fleet.posture() })
    await fleet.days(2, 'patch-management')
    const { people } = fleet
    const products = [`${fleet.product.vendor}/${fleet.product.model}`]
    const from = people.entries.length
    await people.decide(people.certifier, 'recommendation.make', 'rcm_1', exampleRecommendation({ products }))
    await people.decide(people.vendor, 'roadmap.add', 'rmi_1', exampleStep(people, { products }))
    await people.decide(people.vendor, 'document.submit', 'doc_1', exampleDocument(people, { products }))
    for (const [place, entry] of people.entries.slice(from).entries())
      await fleet.store.decisions.append(from + place, entry, fleet.now)
    for (const entry of people.entries) {
      expect(check('decision', entry)).toBeUndefined()
      expect(check('keepseal-message', entry)).toBeUndefined()
    }

    const { store, decisions, now } = fleet
    const sources = { store, decisions, catalogue: defaultCatalogue, collectorId: new Uint8Array(16), now }
    for (const kind of REPORT_KINDS) {
      const wanted = { kind, subject: { certificate: 'crt_1' }, period: { from: NOW - DAY, to: now } }
      const report = await buildReport(sources, wanted)
      expect([kind, check('report-content', encodeReport(report))]).toEqual([kind, undefined])
      expect(check('report', await signReport(report, people.vendor.signer))).toBeUndefined()
      const { period: _, ...without } = report
      for (const wrong of [without, { ...report, madeAt: 'today' }, { ...report, more: 1 }])
        expect(check('report-content', encodePlain(wrong))).toBeDefined()
    }
  })

  it.each(['P-256', 'Ed25519'] as const)('is what a passkey on %s has signed', (curve) => {
    const passkey = new SoftwareAuthenticator(curve)
    const place = { log: new Uint8Array(16), index: 1, previous: new Uint8Array(32), at: 1 }
    const content = { ...place, kind: 'case.decide', subject: 'cas_1', detail: { outcome: 'closed', reason: 'shown' } }
    const unsigned = prepareWebAuthnEntry(content, passkey.key, nodeCrypto.hash)
    const entry = finishWebAuthnEntry(unsigned, passkey.get(unsigned.challenge))
    expect(check('decision', entry)).toBeUndefined()
    expect(check('decision', entry.subarray(0, -1))).toBeDefined()
  })
})
