import { caseGuards } from './case-guards.ts'
import { defineCodes } from './registry.ts'

const READ_LOG = 'Read the log anew (keepseal log show) and decide on what it says now.'

/** Why a decision about a certificate, its profile or its people does not hold. Part of ./errors.ts. */
export const guards = defineCodes({
  ...caseGuards,
  'log.malformed': { title: 'an entry of the decision log is not as documented', remedy: 'Export the log again.' },
  'log.broken-link': {
    title: 'an entry of the decision log does not follow the one before it',
    remedy: 'Entries were removed, changed or reordered: compare with another copy of the log.',
  },
  'log.signature-invalid': {
    title: 'an entry of the decision log was not signed by the person it names',
    remedy: 'The entry was changed or forged: compare with another copy of the log.',
  },
  'log.unknown-author': {
    title: 'the key that signed the entry belongs to nobody in the log',
    remedy: 'A certifier adds people: keepseal person add',
  },
  'log.revoked-author': {
    title: 'the person who signed was revoked before',
    remedy: 'Somebody who still holds the role has to decide.',
  },
  'log.time-reversed': {
    title: 'the time of the entry cannot be right',
    remedy: 'Set the clock of the machine that signs, and decide again.',
  },
  'log.moved-on': { title: 'somebody else has decided meanwhile', remedy: READ_LOG },
  'decision.role': {
    title: 'the role of this person does not allow the decision',
    remedy: 'Ask somebody of that role.',
  },
  'decision.own-work': {
    title: 'nobody decides about what he himself has submitted',
    remedy: 'A second person of the role has to decide.',
  },
  'decision.no-such-subject': { title: 'the decision is about something that the log does not know', remedy: READ_LOG },
  'decision.exists-already': { title: 'the log has a subject of this name already', remedy: READ_LOG },
  'decision.wrong-state': { title: 'the state does not allow this decision', remedy: READ_LOG },
  'decision.period': {
    title: 'the period is longer than the rules allow, or in the past',
    remedy: 'Choose another date.',
  },
  'decision.reason-missing': {
    title: 'the decision says no reason',
    remedy: 'Give the reason: it is what others will read.',
  },
  'person.last-certifier': {
    title: 'without this person nobody could decide any more',
    remedy: 'Add another certifier first.',
  },
  'profile.invalid': {
    title: 'the profile is not as documented',
    remedy: 'Correct the place named in the message; docs/profiles.md has an example.',
  },
  'profile.version-gap': { title: 'the profile version does not follow the last one', remedy: READ_LOG },
  'profile.lowering-refused': {
    title: 'the change lowers what the profile guarantees',
    remedy:
      'That takes a critical nonconformity that cannot be resolved for a reason nobody could foresee, or the lowering of an ' +
      'existing product with a public note: choose that kind of change and give its proof.',
  },
  'profile.circular': {
    title: 'the templates of the profile go in a circle',
    remedy: 'Base the profile on a template that is not based on it.',
  },
  'profile.template-unknown': {
    title: 'the profile is based on something that is no approved template',
    remedy: 'Name id, version and digest of an approved template: keepseal profile list',
  },
  'profile.document-missing': {
    title: 'the collector does not have the profile that was signed',
    remedy: 'Hand it in with the signature: keepseal profile apply FILE',
  },
  'profile.document-differs': {
    title: 'the decision says something else than the profile that it names',
    remedy: 'Sign what the file says: keepseal profile apply FILE',
  },
  'profile.not-approved': { title: 'the profile is not approved', remedy: 'A certifier approves it first.' },
  'document.kind-unknown': {
    title: 'the catalogue has no such kind of document for the practice',
    remedy: 'docs/practices.md lists the kinds; keepseal practice show PRACTICE those of one practice.',
  },
  'document.signer-revoked': {
    title: 'whoever signed the document may sign no more',
    remedy: 'Somebody who still may has to submit it anew: keepseal document submit',
  },
  'nonconformity.not-in-drift': {
    title: 'only what is in drift is confirmed as a nonconformity',
    remedy: 'keepseal practice status --product PRODUCT says what each practice is.',
  },
  'nonconformity.facts-mismatch': {
    title: 'what is confirmed is not what the collector has computed',
    remedy: 'Look again (keepseal practice status), and confirm what is so now.',
  },
  'nonconformity.confirmed-already': {
    title: 'the nonconformity is confirmed already',
    remedy: 'Nothing has to be done; a certifier takes it back: keepseal practice confirm PRACTICE no',
  },
  'nonconformity.not-confirmed': {
    title: 'no nonconformity is confirmed that could be taken back',
    remedy: 'keepseal practice status --product PRODUCT says what each practice is.',
  },
  'certificate.stage-open': {
    title: 'a stage of the assessment is not passed yet',
    remedy: 'keepseal assessment show CERTIFICATE says which one is next.',
  },
  'certificate.profile-mismatch': {
    title: 'the certificate names another profile than the one that was approved',
    remedy: 'Name the digest of the approved version.',
  },
  'certificate.file-invalid': {
    title: 'the certificate file does not hold together',
    remedy: 'Get it again from its certifier, or from the page of the certificate.',
  },
  'certificate.status-invalid': {
    title: 'the status of the certificate is not what it says to be',
    remedy: 'Get it again: /c/CERTIFICATE/status of the collector.',
  },
  'certificate.scope-widened': {
    title: 'a reduction has more products, or higher levels, than what it reduces',
    remedy: 'Issue a new certificate for a wider scope, after its assessment.',
  },
})

export type GuardCode = keyof typeof guards
