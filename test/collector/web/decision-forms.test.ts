import { parseArgs } from 'node:util'
import { describe, expect, it } from 'vitest'
import { client } from '../../../collector/cli/client/program.ts'
import type { CaseDetail } from '../../../collector/web/core/types-more.ts'
import type { DecidedCaseSubject } from '../../../collector/web/model/case-fields.ts'
import { CASE_FORMS } from '../../../collector/web/model/case-forms.ts'
import { CERTIFICATE_FORMS } from '../../../collector/web/model/certificate-forms.ts'
import {
  commandOf,
  missingIn,
  rowsOf,
  secondsOf,
  wallTime,
  type DecisionForm,
  type Values,
} from '../../../collector/web/model/decision-form.ts'
import { parseCommandLine } from '../../../shared/cli/parse.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { decisionKinds } from '../../../shared/decisions/kinds.ts'
import type { DecisionLog } from '../../../shared/decisions/log.ts'
import { CASE, CaseWork } from '../../support/case-decisions.ts'
import { approveProfile, certificate, DAY, DecidingPeople, issueCertificate } from '../../support/decision-log.ts'
import type { Signatory } from '../../support/decision-log.ts'

type Steps = Parameters<CaseWork['until']>[0]

/** What somebody types into the form of each step, `now` in seconds, and how far the case has come before. */
const typedFor = (
  now: number,
): Readonly<Record<string, { readonly after: Steps | null; readonly values: Values }>> => ({
  triage: { after: null, values: { outcome: 'accepted', reason: " isn't ours " } },
  aware: {
    after: null,
    values: { scheme: 'eucc', awareAt: wallTime((now - DAY) * 1000), source: 'a customer', reason: 'a report' },
  },
  impact: {
    after: 'triage',
    values: {
      summary: 'it boots something else',
      practices: ['patch-management'],
      from: '1.0',
      to: '',
      changes: [{ what: 'the loader', effect: 'is another' }, {}],
      affected: [{ text: 'reference values of 1.0' }],
      proposedClass: 'minor',
    },
  },
  scope: {
    after: 'impact',
    values: {
      practices: ['patch-management'],
      criteria: [{ practice: 'patch-management', criterion: 'updates are signed' }],
      class: 'minor',
      severity: 'high',
      recommendations: [{ text: 'sign them' }],
      reason: 'nothing else depends on it',
    },
  },
  plan: {
    after: 'scope',
    values: {
      actions: [{ what: 'roll back', owner: 'Ben', due: wallTime((now + 3 * DAY) * 1000) }],
      until: wallTime((now + 9 * DAY) * 1000),
    },
  },
  fixed: { after: 'plan', values: { what: 'rolled back', fixedAt: wallTime(now * 1000), release: '' } },
  verify: {
    after: 'fixed',
    values: {
      results: [{ practice: 'patch-management', result: 'as before' }],
      documents: [{ title: 'report.pdf', digest: 'a'.repeat(64), dated: String(now) }],
    },
  },
  decide: { after: 'verify', values: { ending: 'closed', reason: 'the fleet shows it' } },
  escalate: { after: 'triage', values: { measure: 'suspend', products: ['Acme/Gate 7'], reason: 'nothing happens' } },
})

function subjectOf({ people, identity }: CaseWork): DecidedCaseSubject {
  const found = people.log.register.cases.get(CASE)
  const fleet = { since: found?.fix?.fixedAt ?? 0, shown: 95, declared: 100, wanted: 95 }
  const entry = {
    id: CASE,
    identity,
    severity: 'high',
    state: found?.state ?? 'triggered',
    decided: found ?? null,
    fleet: found?.fix == null ? null : fleet,
  }
  return {
    entry: entry as unknown as CaseDetail,
    releases: [{ value: 'rel_1', text: '1.1' }],
    products: ['Acme/Gate 7', 'Acme/Gate 7 Mini'],
  }
}

/** Guards that do not hold. */
const breaches = (log: DecisionLog, by: Signatory, at: number, kind: string, subject: string, detail: unknown) =>
  log
    .rehearse({ kind, subject, detail: detail as never, at, keyId: by.signer.keyId })
    .flatMap(({ code, wrong }) => (wrong === null ? [] : [`${code} ${wrong}`]))

/** As a shell takes words apart that are quoted by apostrophes alone. */
const words = (line: string): readonly string[] =>
  (line.match(/(?:[^\s'\\]|'[^']*'|\\.)+/g) ?? []).map((word) => word.replace(/'([^']*)'|\\(.)/g, '$1$2'))

function parsed<S>(form: DecisionForm<S>, subject: S, values: Values) {
  const args = words(commandOf(form, 'the_id', subject, values)).slice(1)
  const command = client.commands.find(({ name }) => name === form.command)
  if (command === undefined) throw new Error(`there is no ${form.command}`)
  return parseCommandLine('keepseal', command, args.slice(form.command.split(' ').length), parseArgs as never)
}

const kindsOf = (...areas: readonly string[]) =>
  [...decisionKinds(hash).keys()].filter((kind) => areas.some((area) => kind.startsWith(`${area}.`)))

describe('the forms of decisions', () => {
  it('are there for every decision about cases, certificates and their assessment', () => {
    const forms = [...CASE_FORMS, ...CERTIFICATE_FORMS]
    expect([...new Set(forms.map(({ kind }) => kind))].sort()).toEqual(
      kindsOf('case', 'certificate', 'assessment').sort(),
    )
  })

  it.each(CASE_FORMS.map((form) => [form.id, form] as const))(
    'say of a case what the log takes, and the command that says the same: %s',
    async (id, form) => {
      const work = await CaseWork.begin()
      const after = typedFor(0)[id]?.after ?? null
      if (after !== null) await work.until(after)
      work.people.days(1)
      const { people } = work
      const subject = subjectOf(work)
      const values = { ...form.initial?.(subject, people.now * 1000), ...typedFor(people.now)[id]?.values }
      expect(form.isOffered(subject)).toBe(true)
      expect(missingIn(form.fields(subject), values)).toEqual([])
      const by =
        id === 'verify' || id === 'escalate' || id === 'scope' || id === 'decide' ? people.certifier : people.vendor
      const detail = form.detail(values, subject, people.now * 1000)
      expect(breaches(people.log, by, people.now, form.kind, CASE, detail)).toEqual([])
      expect(parsed(form, subject, values).arguments).toMatchObject({ id: 'the_id' })
    },
  )

  it.each(CERTIFICATE_FORMS.map((form) => [form.id, form] as const))(
    'say of a certificate what the log takes, and the command that says the same: %s',
    async (id, form) => {
      const people = await DecidingPeople.begin()
      await approveProfile(people, 1, 3)
      const draft = () => people.decide(people.certifier, 'certificate.draft', 'crt_1', certificate(people))
      const decide = (verb: string, detail: object) =>
        people.decide(people.certifier, verb.includes('.') ? verb : `certificate.${verb}`, 'crt_1', detail)
      const until = people.now + 10 * DAY
      if (['issue', 'abandon', 'assessment-begin', 'assessment-stage'].includes(id)) await draft()
      else await issueCertificate(people)
      if (id === 'assessment-stage') await decide('assessment.begin', { scenario: 'product-line' })
      if (id.endsWith('-conditions')) await decide('condition', { reason: 'a finding', until })
      if (id === 'restore' || id === 'extend-suspension')
        await decide('suspend', { reason: 'a case', until, products: null })
      people.days(1)
      const { certificates, profiles } = people.log.register
      const found = certificates.get('crt_1')
      if (found === undefined) throw new Error('no certificate')
      const subject = { certificate: found, profiles }
      const typed: Values = {
        reason: 'because',
        number: 'KS-2027-001',
        until: wallTime((people.now + 20 * DAY) * 1000),
        validUntil: wallTime((people.now + 700 * DAY) * 1000),
        products: ['Acme/Gate 7 Mini'],
        stay: ['Acme/Gate 7 Mini'],
        scenario: 'product-line',
        stage: 'representative',
        passed: 'passed',
      }
      const values = { ...form.initial?.(subject, people.now * 1000), ...typed }
      expect(form.isOffered(subject)).toBe(true)
      const detail = form.detail(values, subject, people.now * 1000)
      const about = form.makes === undefined ? 'crt_1' : 'crt_2'
      expect(breaches(people.log, people.second, people.now, form.kind, about, detail)).toEqual([])
      expect(parsed(form, subject, values).arguments).toMatchObject({ certificate: 'the_id' })
      // What the guards have let pass the log takes.
      await people.decide(people.second, form.kind, about, detail)
    },
  )

  it('name what is still wanted, and take no empty row for one', async () => {
    const subject = subjectOf(await (await CaseWork.begin()).until('scope'))
    const plan = CASE_FORMS.find(({ id }) => id === 'plan')
    const fields = plan?.fields(subject) ?? []
    expect(missingIn(fields, {})).toEqual(['actions', 'until'])
    expect(rowsOf({ actions: [{}, { what: '' }, { what: 'roll back' }] }, 'actions')).toEqual([{ what: 'roll back' }])
  })

  it('read a time of the clock on the wall, to the second', () => {
    const at = Date.UTC(2026, 10, 27, 4, 5, 6)
    expect(secondsOf({ at: wallTime(at) }, 'at')).toBe(at / 1000)
    expect(secondsOf({ at: 'tomorrow' }, 'at')).toBeNaN()
  })
})
