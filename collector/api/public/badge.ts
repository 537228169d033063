import type { CertificateStatus } from '../../../shared/certificate/status.ts'
import { html, type Html } from '../html.ts'
import { shownState } from './shown-state.ts'

const COLOURS = { good: '#1f6f43', warn: '#8a5a00', bad: '#a3241d' } as const
const WIDTH_OF_A_CHARACTER = 6.6

/** A picture with the state in words: a copy of it proves nothing, so it says as of when. */
export function badge(status: CertificateStatus, now: number): Html {
  const { word, tone } = shownState(status, now)
  const day = new Date(status.issuedAt * 1000).toISOString().slice(0, 10)
  const text = `${word}, ${day}`
  const name = 'Keepseal'
  const [left, right] = [name, text].map((each) => Math.ceil(each.length * WIDTH_OF_A_CHARACTER) + 14) as [
    number,
    number,
  ]
  return html`<svg
    xmlns="http://www.w3.org/2000/svg"
    width="${left + right}"
    height="22"
    role="img"
    aria-label="${name}: ${text}"
  >
    <rect width="${left}" height="22" fill="#30363d" />
    <rect x="${left}" width="${right}" height="22" fill="${COLOURS[tone]}" />
    <g fill="#fff" font-family="monospace" font-size="11">
      <text x="7" y="15">${name}</text>
      <text x="${left + 7}" y="15">${text}</text>
    </g>
  </svg>`
}
