import { PRACTICES, type PracticeId } from '../../../shared/maturity/practices.ts'
import { html, type Html } from '../../api/html.ts'
import type { Report, ReportedCertificate, ReportedLimitation, ReportedProfile } from '../model.ts'
import { code, day, facts, list, nothing, table, when, word } from './parts.ts'

export const practiceName = (practice: string): string =>
  Object.hasOwn(PRACTICES, practice) ? PRACTICES[practice as PracticeId].name : practice

/** Each certificate and its profile in one section, never one without the other. */
export function certificateSections({ certificates }: Report): Html {
  if (certificates.length > 0) return html`${certificates.map(certificateSection)}`
  return html`<h2>Certificate and profile</h2>
    <p class="warn">
      No certificate is in force for this product, and so no profile is agreed: nothing may be claimed.
    </p>`
}

function certificateSection(certificate: ReportedCertificate): Html {
  const { conditions, suspension, profile, line } = certificate
  return html`<section>
    <h2>Certificate ${certificate.number} with profile ${profile.id}, version ${profile.version}</h2>
    <p class="state">
      ${word(certificate.state)}${certificate.isExpired ? html` <span class="bad">expired</span>` : nothing}
    </p>
    ${facts([
      ['Certificate', code(certificate.id)],
      ['Because', certificate.reason === '' ? '-' : certificate.reason],
      ['May be claimed for', certificate.claimsAllowedFor.join(', ') || 'no product'],
      ['Issued', day(certificate.issuedAt)],
      ['Valid', html`${day(certificate.validFrom)} to ${day(certificate.validUntil)}`],
      ['Vendor supports until', day(certificate.supportUntil)],
      ...(conditions === null
        ? []
        : [
            [
              'Conditions',
              html`${conditions.text} (until ${when(conditions.until)}${conditions.overdue ? ', overdue' : ''})`,
            ] as const,
          ]),
      ...(suspension === null
        ? []
        : [
            [
              'Suspended',
              html`${suspension.products?.join(', ') ?? 'all products'} from ${when(suspension.since)} to
              ${when(suspension.until)}`,
            ] as const,
          ]),
      ...(line === null
        ? []
        : [['Line', `${line.name}. Code base: ${line.codeBase} Hardware: ${line.hardware}`] as const]),
      ['Profile', html`${profile.document?.title ?? profile.id}, approved ${day(profile.approvedAt)}`],
      ['SHA-256 of the profile', code(profile.digest)],
      ...(profile.document === null ? [] : [['Next review of it', day(profile.document.nextReviewDue)] as const]),
    ])}
    ${table(
      'Products',
      [{ title: 'Product' }, { title: 'Hardware' }, { title: 'Firmware' }, { title: 'Why' }],
      certificate.products.map((each) => [
        html`${each.product}${each.representative ? html` <strong>representative</strong>` : nothing}`,
        code(each.hardwareRevisions.join(', ')),
        code(each.firmwareLines.join(', ')),
        each.rationale,
      ]),
      'It lists no product.',
    )}
    ${targets(profile)} ${limitations(profile)}
  </section>`
}

const targets = ({ targets: agreed, document }: ReportedProfile): Html =>
  table(
    'Targets of the profile',
    [{ title: 'Practice' }, { title: 'Level', kind: 'number' }, { title: 'Scope' }, { title: 'Priority' }],
    Object.entries(agreed).map(([practice, { level, scope }]) => [
      practiceName(practice),
      level,
      scope,
      document?.priorities[practice] ?? '-',
    ]),
    'It has no target.',
  )

function limitations({ document }: ReportedProfile): Html {
  if (document === null) {
    return html`<p class="warn">
      The document of the profile is not with this collector: its limitations are not told.
    </p>`
  }
  return html`<h3>Limitations and what makes up for them</h3>
    ${document.limitations.length === 0 ? html`<p class="faint">The profile has none.</p>` : list(document.limitations.map(limitation))}
    ${document.assumptions.length === 0 ? nothing : html`<h3>Assumptions about the environment</h3>`}
    ${list(document.assumptions.map(({ text }) => text))}`
}

const limitation = ({ title, reason, practices, compensation, isPublic }: ReportedLimitation): Html =>
  html`<strong>${title}</strong>${isPublic ? '' : ' (not public)'}: ${reason} Practices:
    ${practices.map(practiceName).join(', ')}.
    ${
      compensation === null
        ? 'Nothing makes up for it.'
        : html`Made up for by: ${compensation.text} Checked by ${compensation.check}:
          ${compensation.outcomes.map(({ product, outcome }) => `${product} ${outcome}`).join(', ') || 'no product'}.`
    }`
