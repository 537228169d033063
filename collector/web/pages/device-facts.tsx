import { useSignal } from '@preact/signals'
import { ApiError, download } from '../core/api.ts'
import type { DeviceDetail } from '../core/types.ts'
import { date, dateTime, t } from '../i18n/text.ts'
import { ProblemBox } from '../parts/problem.tsx'
import { Ago } from '../parts/time.tsx'

export const Facts = ({ device }: { readonly device: DeviceDetail }) => (
  <section aria-labelledby="facts">
    <h2 id="facts">{t('device.facts')}</h2>
    <dl>
      <dt>{t('device.fact.ueid')}</dt>
      <dd class="code">{device.ueid}</dd>
      <dt>{t('device.fact.product')}</dt>
      <dd>
        <a href={`/products/${device.productId}`}>
          {device.vendor} {device.model}
        </a>
      </dd>
      <dt>{t('device.fact.hardware')}</dt>
      <dd>{device.hardwareRevision}</dd>
      <dt>{t('device.fact.serial')}</dt>
      <dd>{device.serial}</dd>
      <dt>{t('device.fact.agent')}</dt>
      <dd>{device.agentVersion ?? '–'}</dd>
      <dt>{t('device.fact.enrolled')}</dt>
      <dd>{dateTime(device.enrolledAt)}</dd>
      <dt>{t('device.fact.seen')}</dt>
      <dd>{device.lastFreshAt === null ? t('fleet.never') : <Ago at={device.lastFreshAt} />}</dd>
      <dt>{t('device.fact.certificate')}</dt>
      <dd>{date(device.certificateNotAfter)}</dd>
      {Object.entries(device.labels).map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
      {Object.keys(device.refusals).length > 0 && (
        <>
          <dt>{t('device.fact.refused')}</dt>
          <dd class="code">
            {Object.entries(device.refusals)
              .map(([code, count]) => `${code}: ${count}`)
              .join(', ')}
          </dd>
        </>
      )}
    </dl>
  </section>
)

/** All of it, for whoever wants to check it by other means. */
export function Evidence({ device }: { readonly device: DeviceDetail }) {
  const error = useSignal<ApiError | undefined>(undefined)
  const path = `/devices/${device.ueid}`
  const FILES = [
    { key: 'device.evidence.raw', path: `${path}/evidence/latest`, name: `${device.ueid}.evidence.cbor` },
    { key: 'device.evidence.ear', path: `${path}/result`, name: `${device.ueid}.result.json` },
    { key: 'device.evidence.posture', path: `${path}/posture`, name: `${device.ueid}.posture.json` },
  ] as const
  const fetchFile = async (from: string, name: string): Promise<void> => {
    error.value = undefined
    try {
      await download(from, name)
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure
      error.value = failure
    }
  }
  return (
    <section aria-labelledby="evidence">
      <h2 id="evidence">{t('device.evidence')}</h2>
      <div class="acts">
        {FILES.map(({ key, path: from, name }) => (
          <button key={key} type="button" onClick={() => void fetchFile(from, name)}>
            {t(key)}
          </button>
        ))}
      </div>
      {error.value !== undefined && <ProblemBox error={error.value} />}
    </section>
  )
}
