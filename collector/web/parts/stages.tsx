import type { Tone } from '../model/standing.ts'
import { t } from '../i18n/text.ts'
import { Sign } from './status.tsx'

interface StagesProps {
  readonly label: string
  readonly stages: readonly { readonly id: string; readonly text: string }[]
  readonly current: string | undefined
  readonly tone: Tone
}

/** Stages in a row, the present one marked by shape, weight and word; read aloud it is a list with one current item. */
export const Stages = ({ label, stages, current, tone }: StagesProps) => (
  <ol class="stages plain" aria-label={label}>
    {stages.map(({ id, text }) => (
      <li key={id} class={id === current ? `current ${tone}` : ''} aria-current={id === current ? 'step' : undefined}>
        {id === current && <Sign tone={tone} />}
        <span>{text}</span>
        {id === current && <span class="quiet"> ({t('stage.now')})</span>}
      </li>
    ))}
  </ol>
)
