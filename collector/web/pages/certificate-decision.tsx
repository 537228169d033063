import type { Certificate } from '../../../shared/decisions/certificate.ts'
import { makeId } from '../../../shared/text/ids.ts'
import { dateTime } from '../i18n/text.ts'
import { CERTIFICATE_FORMS } from '../model/certificate-forms.ts'
import type { CheckedLog, LoggedDecision } from '../verify/certificate-log.ts'
import { Decision } from './decision.tsx'

interface CertificateDecisionProps {
  readonly certificate: Certificate
  /** As it was when the form was begun. */
  readonly seen: CheckedLog
  readonly latest: CheckedLog
  /** Reads the log anew; undefined where it cannot be read, or does not hold. `isSeen`: what it says then is looked at. */
  readonly read: (isSeen?: boolean) => Promise<CheckedLog | undefined>
  readonly onSeen: (now: CheckedLog) => void
  readonly onDecided: () => void
}

/** What somebody else has decided about certificates of this line since it was looked at. */
const newIn = (before: CheckedLog, now: CheckedLog): readonly LoggedDecision[] =>
  now.decisions.filter(({ index, kind }) => index > before.headIndex && kind.startsWith('certificate.'))

const newId = (): string => makeId('crt', Date.now(), (bytes) => crypto.getRandomValues(new Uint8Array(bytes)))

/** What can be decided about a certificate, by what the signed log says of it. */
export function CertificateDecision(props: CertificateDecisionProps) {
  const { certificate, seen, latest, read, onSeen, onDecided } = props
  const subject = { certificate, profiles: seen.profiles }
  const meanwhile = newIn(seen, latest)
  return (
    <Decision
      forms={CERTIFICATE_FORMS.filter((form) => form.isOffered(subject))}
      subject={subject}
      id={certificate.id}
      newId={newId}
      meanwhile={meanwhile.map(
        ({ at, author, title }) => `${dateTime(new Date(at * 1000).toISOString())}: ${author.name}, ${title}`,
      )}
      isConflict={meanwhile.length > 0}
      onSeen={() => {
        onSeen(latest)
        onDecided()
      }}
      look={async () => {
        const now = await read()
        return now !== undefined && newIn(seen, now).length === 0
      }}
      onSigned={async () => {
        await read(true)
        onDecided()
      }}
    />
  )
}
