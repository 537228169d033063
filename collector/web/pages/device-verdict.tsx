import { role } from '../core/session.ts'
import type { DeviceDetail, Finding } from '../core/types.ts'
import { codeTitle, count, findingRemedy, t, word } from '../i18n/text.ts'
import { axisTone, standingOf, toneOf, type Tone } from '../model/standing.ts'
import { Act } from '../parts/act.tsx'
import { Status } from '../parts/status.tsx'
import { Ago } from '../parts/time.tsx'

interface DeviceProps {
  readonly device: DeviceDetail
  readonly reload: () => void
}

/** The verdict in words, each axis apart, and what can be done about it. */
export function Verdict({ device, reload }: DeviceProps) {
  const standing = standingOf(device)
  const tone = toneOf(standing)
  return (
    <section class={`verdict ${tone}`} aria-label={t('axis.verdict')}>
      <p class="first">
        <Status tone={tone}>{t(`standing.${standing}`)}</Status>
      </p>
      <p class="why" data-testid="why">
        {device.verdictTitle !== null
          ? codeTitle(device.verdictCode, device.verdictTitle)
          : standing === 'good'
            ? t('device.good')
            : t(`standing.${standing}.hint`)}
        {device.verdictCode !== null && <span class="code quiet"> {device.verdictCode}</span>}
      </p>
      {device.latch === 'recovered-unacknowledged' && <p>{t('device.latched')}</p>}
      <p class="axes">
        <Axis value={device.verdict} area="verdict" />
        <Axis value={device.latch} area="latch" />
        <Axis value={device.liveness} area="liveness" />
        <Axis value={device.enrolment} area="enrolment" />
        <Axis value={device.identity} area="identity" />
        <Axis value={device.bootCoverage} area="bootCoverage" />
        <Axis value={device.coverage} area="coverage" />
      </p>
      {device.coverageReason !== null && (
        <p class="hint">
          {word('coverage', device.coverage)}: {word('reason', device.coverageReason)}
        </p>
      )}
      {(role.value === 'vendor' || role.value === 'operator') && <Acts device={device} reload={reload} />}
    </section>
  )
}

const EXTRA: Readonly<Record<string, Tone>> = { 'tpm-endorsed': 'good', measured: 'good', software: 'warn' }

const Axis = ({ area, value }: { readonly area: string; readonly value: string }) => (
  <Status tone={EXTRA[value] ?? axisTone(value)}>{word(area, value)}</Status>
)

function Acts({ device, reload }: DeviceProps) {
  const path = `/devices/${device.ueid}`
  const empty = () => ({})
  if (device.enrolment === 'revoked') return null
  if (device.enrolment === 'pending') {
    return (
      <div class="acts">
        <Act
          text={t('device.accept')}
          meaning={t('device.confirm.accept')}
          path={`${path}/accept`}
          body={empty}
          onDone={reload}
          primary
        />
        <Act
          text={t('device.reject')}
          meaning={t('device.confirm.reject')}
          path={`${path}/reject`}
          body={empty}
          onDone={reload}
        />
      </div>
    )
  }
  // Names what is on the screen: what has changed meanwhile is refused, and not approved unseen.
  const seen = () => ({
    scope: 'device',
    expectedReview: device.review,
    ...(device.postureDigest !== null && { expectedPostureDigest: device.postureDigest }),
  })
  const isLatched = device.latch !== 'none'
  return (
    <div class="acts">
      <Act
        text={isLatched ? t('device.acknowledge') : t('device.approve')}
        meaning={t('device.confirm.approve')}
        path={`${path}/approve`}
        body={seen}
        onDone={reload}
      />
      <Act
        text={t('device.revoke')}
        meaning={t('device.confirm.revoke')}
        path={`${path}/revoke`}
        body={empty}
        onDone={reload}
      />
    </div>
  )
}

const SEVERITY_TONES: Readonly<Record<string, Tone>> = { critical: 'bad', high: 'bad', medium: 'warn', low: 'quiet' }
const ORDER = ['critical', 'high', 'medium', 'low']
const SHOWN = 30

export function Findings({ device }: { readonly device: DeviceDetail }) {
  const findings = [...device.findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity))
  return (
    <section aria-labelledby="findings">
      <h2 id="findings">{t('device.findings')}</h2>
      {findings.length === 0 ? (
        <p>{t('device.findings.none')}</p>
      ) : (
        <ul class="plain">
          {findings.slice(0, SHOWN).map((finding) => (
            <FindingItem key={finding.id} finding={finding} />
          ))}
        </ul>
      )}
      {findings.length > SHOWN && <p class="hint">{count('list.rows', findings.length)}</p>}
    </section>
  )
}

const FindingItem = ({ finding }: { readonly finding: Finding }) => (
  <li class="finding">
    <p>
      <Status tone={SEVERITY_TONES[finding.severity] ?? 'quiet'}>{word('severity', finding.severity)}</Status>{' '}
      <strong>{codeTitle(finding.code, finding.title)}</strong> <Ago at={finding.openedAt} />
    </p>
    <p class="code">{finding.subject}</p>
    {(finding.before !== null || finding.after !== null) && (
      <dl>
        <dt>{t('device.finding.was')}</dt>
        <dd class="code">{finding.before ?? '–'}</dd>
        <dt>{t('device.finding.is')}</dt>
        <dd class="code">{finding.after ?? '–'}</dd>
      </dl>
    )}
    <p class="hint" lang="en">
      {findingRemedy(finding.remedy)}
    </p>
  </li>
)
