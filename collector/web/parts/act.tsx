import { useSignal } from '@preact/signals'
import { ApiError, send } from '../core/api.ts'
import { t } from '../i18n/text.ts'
import { ProblemBox } from './problem.tsx'

interface ActProps {
  readonly text: string
  /** What it means, which is said before it is done. */
  readonly meaning: string
  readonly path: string
  readonly body: () => unknown
  readonly method?: 'POST' | 'PUT'
  readonly onDone: () => void
  readonly primary?: boolean
}

/** A button that says what it will do, and does it at the second click. A conflict is shown where it happened. */
export function Act({ text, meaning, path, body, method = 'POST', onDone, primary = false }: ActProps) {
  const step = useSignal<'idle' | 'asked' | 'busy' | 'done'>('idle')
  const error = useSignal<ApiError | undefined>(undefined)
  const run = async (): Promise<void> => {
    step.value = 'busy'
    error.value = undefined
    try {
      await send(method, path, body())
      step.value = 'done'
      onDone()
    } catch (failure) {
      step.value = 'idle'
      if (!(failure instanceof ApiError)) throw failure
      error.value = failure
    }
  }
  return (
    <div class="act">
      {step.value === 'idle' && (
        <button type="button" class={primary ? 'primary' : ''} onClick={() => (step.value = 'asked')}>
          {text}
        </button>
      )}
      {(step.value === 'asked' || step.value === 'busy') && (
        <div class="note" role="group" aria-label={text}>
          <p>{meaning}</p>
          <button type="button" class="primary" disabled={step.value === 'busy'} onClick={() => void run()} autofocus>
            {text}
          </button>{' '}
          <button type="button" disabled={step.value === 'busy'} onClick={() => (step.value = 'idle')}>
            {t('device.cancel')}
          </button>
        </div>
      )}
      {step.value === 'done' && <p role="status">{t('device.done')}</p>}
      {error.value !== undefined && <ProblemBox error={error.value} />}
    </div>
  )
}
