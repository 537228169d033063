import * as v from 'valibot'
import { EARLY_EXPIRY } from '../../maturity/catalogue/schema.ts'
import { DAY, defineKind, longText, refuse, shortText, type DecisionKind } from '../kind.ts'
import type { Register } from '../register.ts'
import { MAX_VALIDITY_SECONDS, submitSchema, type AttestedDocument, type DocumentState } from './document.ts'
import { answers } from './request.ts'

const acceptSchema = v.strictObject({ reason: longText })
const rejectSchema = v.strictObject({ reason: longText })
const supersedeSchema = v.strictObject({ by: shortText, reason: longText })
const expireSchema = v.strictObject({ trigger: v.picklist(EARLY_EXPIRY), reason: longText })

function existing(register: Register, id: string, ...states: readonly DocumentState[]): AttestedDocument {
  const found = register.documents.get(id) ?? refuse('decision.no-such-subject', id)
  return states.includes(found.state) ? found : refuse('decision.wrong-state', `${id} is ${found.state}`)
}

const put = ({ documents }: Register, document: AttestedDocument): unknown => documents.set(document.id, document)

/** Whoever has asked for this document waits no more. */
function fulfil({ documentRequests }: Register, document: AttestedDocument): void {
  for (const [id, request] of documentRequests) {
    if (request.fulfilled !== null || request.withdrawn !== null || !answers(request, document)) continue
    documentRequests.set(id, { ...request, fulfilled: { by: document.id, at: document.submittedAt } })
  }
}

function assertDates(at: number, { issued, validUntil }: v.InferOutput<typeof submitSchema>): void {
  if (issued > at + DAY) refuse('decision.period', 'it is issued in the future')
  if (validUntil <= at) refuse('decision.period', 'it has expired already')
  if (validUntil - issued > MAX_VALIDITY_SECONDS)
    refuse('decision.period', 'no document is good for more than 24 months')
}

/** A document that its signer may no longer stand for is not accepted: somebody who may sign submits it anew. */
function assertSignerStands({ people }: Register, { id, submittedBy }: AttestedDocument): void {
  const signer = people.get(submittedBy)
  if (signer === undefined || signer.revokedAt !== null) refuse('document.signer-revoked', id)
}

export const documentKinds = {
  'document.submit': defineKind({
    title: 'A document is submitted',
    roles: ['vendor', 'operator', 'certifier'],
    schema: submitSchema,
    apply: (register, { author, at, subject, detail }) => {
      if (register.documents.has(subject)) refuse('decision.exists-already', subject)
      assertDates(at, detail)
      if (detail.supersedes !== null) {
        const before = existing(register, detail.supersedes, 'accepted', 'ended')
        if (before.kind !== detail.kind) refuse('decision.wrong-state', `${before.id} is a ${before.kind}`)
      }
      put(register, {
        ...detail,
        id: subject,
        state: 'submitted',
        submittedBy: author.id,
        submittedAt: at,
        acceptedBy: null,
        reason: '',
        endedAt: null,
      })
    },
  } satisfies DecisionKind<v.InferOutput<typeof submitSchema>>),

  'document.accept': defineKind({
    title: 'A document is accepted',
    roles: ['certifier'],
    schema: acceptSchema,
    apply: (register, { author, at, subject, detail }) => {
      const document = existing(register, subject, 'submitted')
      if (document.submittedBy === author.id) refuse('decision.own-work', subject)
      assertSignerStands(register, document)
      if (document.validUntil <= at) refuse('decision.period', 'it has expired already')
      const before = document.supersedes === null ? undefined : register.documents.get(document.supersedes)
      if (before?.state === 'accepted') {
        put(register, { ...before, state: 'superseded', reason: `replaced by ${subject}`, endedAt: at })
      }
      put(register, { ...document, state: 'accepted', acceptedBy: author.id, reason: detail.reason })
      fulfil(register, document)
    },
  } satisfies DecisionKind<v.InferOutput<typeof acceptSchema>>),

  'document.reject': defineKind({
    title: 'A document is rejected',
    roles: ['certifier'],
    schema: rejectSchema,
    apply: (register, { subject, detail }) => {
      put(register, { ...existing(register, subject, 'submitted'), state: 'rejected', reason: detail.reason })
    },
  } satisfies DecisionKind<v.InferOutput<typeof rejectSchema>>),

  'document.supersede': defineKind({
    title: 'A document is replaced by another that was accepted',
    roles: ['certifier'],
    schema: supersedeSchema,
    apply: (register, { at, subject, detail }) => {
      const document = existing(register, subject, 'accepted')
      const other = existing(register, detail.by, 'accepted')
      if (other.id === subject || other.kind !== document.kind)
        refuse('decision.wrong-state', `${other.id} is no other ${document.kind}`)
      put(register, { ...document, state: 'superseded', reason: detail.reason, endedAt: at })
    },
  } satisfies DecisionKind<v.InferOutput<typeof supersedeSchema>>),

  'document.expire-early': defineKind({
    title: 'A document ends before its time',
    roles: ['vendor', 'operator', 'certifier'],
    schema: expireSchema,
    apply: (register, { at, subject, detail: { trigger, reason } }) => {
      const document = existing(register, subject, 'accepted')
      put(register, { ...document, state: 'ended', reason: `${trigger}: ${reason}`, endedAt: at })
    },
  } satisfies DecisionKind<v.InferOutput<typeof expireSchema>>),
}
