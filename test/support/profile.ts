import * as v from 'valibot'
import { ProfileDocument } from '../../shared/maturity/profile.ts'

/** A small individual profile, as a person writes it. */
export const writtenProfile = {
  schema: 1,
  id: 'gate-seven',
  version: 1,
  kind: 'individual',
  title: 'Gate 7 industrial gateway',
  practices: {
    'patch-management': {
      target: { level: 3, scope: 'system' },
      priority: 'must',
      rationale: 'Stands in plants without staff.',
    },
    'access-control': { target: { level: 2, scope: 'industry' }, priority: 'should' },
  },
  limitations: [
    {
      id: 'no-hot-patch',
      title: 'No patch while a line runs',
      reason: 'The control loop must not be interrupted.',
      practices: ['patch-management'],
      compensation: {
        text: 'Patches wait for the weekly stop; the firewall closes what is exposed meanwhile.',
        check: { kind: 'document', document: 'patch-policy' },
      },
      public: true,
    },
  ],
  assumptions: [
    {
      id: 'no-password-login',
      text: 'Nobody logs in with a password.',
      check: { kind: 'section-fact', section: 'access', fact: ['ssh', 'password'], equals: false },
    },
  ],
  review: { everyDays: 180 },
}

export const profileOf = (over: object = {}): ProfileDocument =>
  v.parse(ProfileDocument, { ...writtenProfile, ...over })
