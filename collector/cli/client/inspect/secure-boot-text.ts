import type { CertificateSummary } from '../../../../shared/eventlog/decode/certificate.ts'
import type { EventLogProblem } from '../../../../shared/eventlog/problem.ts'
import type {
  BootAuthority,
  SecureBootState,
  SecureBootWeakness,
} from '../../../../shared/eventlog/secure-boot-state.ts'
import { outcomes } from '../../../../shared/codes/outcomes.ts'
import { paragraph } from '../text.ts'
import { labelled, LABEL_WIDTH } from './lines.ts'

const WEAKNESSES: Readonly<Record<SecureBootWeakness, string>> = {
  'debug-mode': 'a debugger was attached to the firmware',
  'dma-protection-disabled': 'protection against devices that write to memory was off',
  'shim-validation-disabled': 'shim was told not to check what it loads',
  'setup-mode': 'no platform key: anybody may change the databases',
  'audit-mode': 'violations are recorded and not prevented',
  'unrecognised-action': 'the firmware reported a setting that this software does not know',
}

/** What PCR 7 says, for people: state, keys with their fingerprints, who allowed what ran, revocations, problems. */
export function secureBootLines(state: SecureBootState): string[] {
  return [
    ...labelled('secure boot', stateText(state)),
    ...state.weaknesses.flatMap((weakness) => labelled('weakness', `${WEAKNESSES[weakness]} (${weakness})`)),
    ...state.problems.flatMap(problemLines),
    ...databaseLines('platform key', state.platformKey),
    ...databaseLines('exchange keys', state.keyExchangeKeys),
    ...databaseLines('db (allowed)', state.allowed),
    ...databaseLines('dbx (forbidden)', state.forbidden),
    ...state.authorities.flatMap(authorityLines),
    ...sbatLines(state),
  ]
}

function stateText({ enabled, setupMode, basis }: SecureBootState): string {
  const source = basis === 'quote' ? 'proven by the quote' : 'by this log alone; a quote would prove it'
  if (enabled === 'unknown') return 'unknown: PCR 7 does not say what it has to say'
  return `${enabled ? 'on' : 'off'}${setupMode === true ? ', in setup mode' : ''} (${source})`
}

function problemLines({ code, pcr, sequence, detail }: EventLogProblem): string[] {
  const { title, remedy } = outcomes[code]
  const place = `PCR ${pcr}${sequence === undefined ? '' : `, event ${sequence}`}`
  const text = `${place}: ${title}${detail === undefined ? '' : `: ${detail}`} (${code})`
  return [...labelled('problem', text), ...paragraph(' '.repeat(LABEL_WIDTH), `next: ${remedy}`)]
}

function databaseLines(label: string, database: SecureBootState['allowed']): string[] {
  if (database === 'unknown') return labelled(label, 'unknown')
  const { certificates, hashes, others } = database
  const counts = [
    ...(hashes > 0 ? [`${hashes} image hash${hashes === 1 ? '' : 'es'}`] : []),
    ...(others > 0 ? [`${others} other ${others === 1 ? 'entry' : 'entries'}`] : []),
  ]
  const texts = [...certificates.flatMap(certificateLines), ...(counts.length === 0 ? [] : [counts.join(', ')])]
  const lines = texts.length === 0 ? ['empty'] : texts
  return lines.flatMap((text, index) => labelled(index === 0 ? label : '', text))
}

/** The fingerprint is what to compare; a name can be given to any certificate. */
function certificateLines({ subject, issuer, sha256 }: CertificateSummary): string[] {
  const by = issuer === undefined || issuer === subject ? '' : `, issued by ${issuer}`
  return [`${subject ?? 'certificate without a name'}${by}`, sha256]
}

function authorityLines({ variable, phase, certificate, imageHash }: BootAuthority): string[] {
  const when = phase === 'before-separator' ? ' (driver or option ROM)' : ''
  if (certificate !== undefined) {
    const [name = '', ...rest] = certificateLines(certificate)
    return [...labelled('authority', `${variable}: ${name}${when}`), ...rest.flatMap((text) => labelled('', text))]
  }
  if (imageHash !== undefined)
    return [...labelled('authority', `${variable}: one image${when}`), ...labelled('', imageHash)]
  return labelled('setting', variable)
}

function sbatLines({ sbatLevel, enabled }: SecureBootState): string[] {
  if (sbatLevel === 'unknown') return labelled('SBAT level', enabled === 'unknown' ? 'unknown' : 'not measured')
  const generations = Object.entries(sbatLevel.generations).map(
    ([component, generation]) => `${component} ${generation}`,
  )
  return labelled(
    'SBAT level',
    `revocations of ${sbatLevel.date}${generations.length === 0 ? '' : `: ${generations.join(', ')}`}`,
  )
}
