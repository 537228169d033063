import { approveProfile, DAY, DecidingPeople, digestOf, issueCertificate, signatory } from './decision-log.ts'
import type { Signatory } from './decision-log.ts'
import { newPerson } from '../../shared/decisions/person.ts'
import type { Case, CaseIdentity } from '../../shared/decisions/cases/case.ts'

export const CASE = 'cas_1'

/** People, a certificate in force, and a case of it that nobody has looked at. */
export class CaseWork {
  readonly people: DecidingPeople
  readonly other = signatory('per_other', 'vendor')
  readonly identity: CaseIdentity
  readonly id = CASE

  private constructor(people: DecidingPeople, identity: CaseIdentity) {
    this.people = people
    this.identity = identity
  }

  static async begin(over: Partial<CaseIdentity> = {}): Promise<CaseWork> {
    const people = await DecidingPeople.begin()
    await approveProfile(people, 1, 3)
    await issueCertificate(people)
    const identity: CaseIdentity = {
      facts: digestOf('facts'),
      product: 'prd_1',
      certificate: 'crt_1',
      trigger: 'T1',
      cause: 'boot.pcr-changed',
      proof: 'fleet',
      openedAt: people.now,
      ...over,
    }
    const work = new CaseWork(people, identity)
    const { other } = work
    await people.decide(people.certifier, 'person.add', other.id, newPerson('Olga', 'vendor', other.key))
    return work
  }

  get found(): Case {
    const found = this.people.log.register.cases.get(CASE)
    if (found === undefined) throw new Error('nobody has decided about the case')
    return found
  }

  decide(by: Signatory, kind: string, detail: unknown) {
    return this.people.decide(by, `case.${kind}`, CASE, detail)
  }

  /** What each step says where nothing is wrong with it. */
  details() {
    const { now } = this.people
    return {
      triage: { case: this.identity, severity: 'high', outcome: 'accepted', reason: 'the boot loader has changed' },
      aware: {
        case: this.identity,
        scheme: 'cra-vulnerability',
        awareAt: now,
        reason: 'a report',
        source: 'a customer',
      },
      impact: {
        summary: 'a boot loader that nobody approved',
        from: '1.0',
        to: null,
        changes: [{ what: 'the boot loader', effect: 'is not the one that was assessed' }],
        practices: ['patch-management'],
        affectedEvidence: ['reference values of 1.0'],
        proposedClass: 'minor',
      },
      scope: {
        practices: ['patch-management'],
        criteria: [{ practice: 'patch-management', criterion: 'updates are signed' }],
        class: 'minor',
        severity: 'high',
        recommendations: ['put the boot loader into the release'],
        reason: 'nothing else depends on it',
      },
      plan: { actions: [{ what: 'roll back', owner: 'Ben', due: now + 9 * DAY }], until: now + 10 * DAY },
      fixed: { fixedAt: now, what: 'rolled back', release: null },
      verify: {
        results: [{ practice: 'patch-management', result: 'as before' }],
        fleet: { since: now, shown: 95, declared: 100 },
        documents: [],
      },
      decide: { outcome: 'closed', reason: 'the fleet shows it' },
      escalate: { measure: 'suspend', products: null, reason: 'nothing happens' },
    }
  }

  /** Takes the case as far as `last`, one day a step. */
  async until(last: 'triage' | 'impact' | 'scope' | 'plan' | 'fixed' | 'verify' | 'decide'): Promise<this> {
    const { vendor, certifier, second } = this.people
    const steps = [
      ['triage', vendor],
      ['impact', vendor],
      ['scope', certifier],
      ['plan', vendor],
      ['fixed', vendor],
      ['verify', second],
      ['decide', certifier],
    ] as const
    for (const [step, by] of steps) {
      this.people.days(1)
      await this.decide(by, step, this.details()[step])
      if (step === last) break
    }
    return this
  }
}
