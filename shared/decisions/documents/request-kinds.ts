import * as v from 'valibot'
import { defineKind, longText, refuse, type DecisionKind } from '../kind.ts'
import { requestSchema } from './request.ts'

const withdrawSchema = v.strictObject({ reason: longText })

export const documentRequestKinds = {
  'document.request': defineKind({
    title: 'A document is asked for',
    roles: ['vendor', 'operator', 'certifier'],
    schema: requestSchema,
    apply: ({ documentRequests, people }, { author, at, subject, detail }) => {
      if (documentRequests.has(subject)) refuse('decision.exists-already', subject)
      if (detail.until <= at) refuse('decision.period', 'the day is over already')
      if ('person' in detail.from) {
        const { person: id } = detail.from
        const person = people.get(id) ?? refuse('decision.no-such-subject', id)
        if (person.revokedAt !== null) refuse('document.signer-revoked', `${person.name} cannot sign what is asked for`)
      }
      const request = { ...detail, id: subject, askedBy: author.id, askedAt: at, fulfilled: null, withdrawn: null }
      documentRequests.set(subject, request)
    },
  } satisfies DecisionKind<v.InferOutput<typeof requestSchema>>),

  'document.withdraw-request': defineKind({
    title: 'A document is asked for no more',
    roles: ['vendor', 'operator', 'certifier'],
    schema: withdrawSchema,
    apply: ({ documentRequests }, { author, at, subject, detail: { reason } }) => {
      const request = documentRequests.get(subject) ?? refuse('decision.no-such-subject', subject)
      // Whoever owes it does not excuse himself.
      if (request.askedBy !== author.id && author.role !== 'certifier')
        refuse('decision.role', 'it is withdrawn by who has asked, or by a certifier')
      if (request.fulfilled !== null || request.withdrawn !== null)
        refuse('decision.wrong-state', `${subject} is ${request.fulfilled === null ? 'withdrawn' : 'fulfilled'}`)
      documentRequests.set(subject, { ...request, withdrawn: { by: author.id, at, reason } })
    },
  } satisfies DecisionKind<v.InferOutput<typeof withdrawSchema>>),
}
