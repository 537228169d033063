import { expect, test } from 'vitest'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { STAGES } from '../../../shared/decisions/stages.ts'
import { certifyByProfile, decideIn, profileDocument } from '../../support/certified-profile.ts'
import { BEGIN, certificate, certified } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { describeStore } from '../store/support.ts'

describeStore('a certificate of a new product', (store) => {
  test('is issued only once it was assessed in stages', async () => {
    const profile = profileDocument({ scenario: 'new-product' })
    const people = await certifyByProfile(store(), 'Acme/Gate 7', BEGIN, { profile })
    const first = people.log.register.certificates.get('crt_1')
    const draft = certificate(people, { profile: first?.profile, products: [certified('Acme/Gate 9')], line: null })
    await decideIn(store(), people, people.certifier, 'certificate.draft', 'crt_2', draft)
    const book = new DecisionBook(store())
    const issue = async () =>
      book.append(await people.sign(people.certifier, 'certificate.issue', 'crt_2', { reason: 'assessed' }), people.now)
    expect((await refusalOf(issue())).code).toBe('certificate.stage-open')
    await decideIn(store(), people, people.certifier, 'assessment.begin', 'crt_2', { scenario: 'new-product' })
    for (const stage of STAGES['new-product']) {
      expect((await refusalOf(issue())).code).toBe('certificate.stage-open')
      const passed = { stage, outcome: 'passed', reason: 'as assessed' }
      await decideIn(store(), people, people.certifier, 'assessment.stage', 'crt_2', passed)
    }
    await issue()
    expect((await book.register()).certificates.get('crt_2')).toMatchObject({ state: 'valid' })
  })
})
