import type { ScalePoint } from './scale.ts'

const WIDTH = 640
const HEIGHT = 260
const LEFT = 70
const BOTTOM = 210
const TOP = 50
const RIGHT = 600

/** CPU time of a report over the number of devices enrolled (logarithmic), as a picture for docs/bench. */
export function scalePicture(points: readonly ScalePoint[]): string {
  const highest = 1.25 * Math.max(...points.map(({ evidenceUs }) => evidenceUs))
  const logs = points.map(({ enrolled }) => Math.log10(enrolled))
  const [first, last] = [Math.min(...logs), Math.max(...logs)]
  const x = (enrolled: number): number =>
    Math.round(LEFT + ((Math.log10(enrolled) - first) / (last - first || 1)) * (RIGHT - LEFT))
  const y = (us: number): number => Math.round(BOTTOM - (us / highest) * (BOTTOM - TOP))
  const line = points.map(({ enrolled, evidenceUs }) => `${x(enrolled)},${y(evidenceUs)}`).join(' ')
  const marks = points.map(
    ({ enrolled, evidenceUs }) =>
      `  <circle cx="${x(enrolled)}" cy="${y(evidenceUs)}" r="4" fill="#2563eb"/>
  <text x="${x(enrolled)}" y="${y(evidenceUs) - 12}" text-anchor="middle">${evidenceUs} us</text>
  <text x="${x(enrolled)}" y="${BOTTOM + 20}" text-anchor="middle">${enrolled.toLocaleString('en')}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}"
  font-family="sans-serif" font-size="13" role="img" aria-label="CPU time of a report over the devices enrolled">
  <rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
  <text x="${LEFT - 40}" y="24" font-weight="bold">CPU time of one steady report, from queue to commit</text>
  <path d="M${LEFT - 30} ${BOTTOM}H${RIGHT + 20}" stroke="#6b7280"/>
  <polyline points="${line}" fill="none" stroke="#2563eb" stroke-width="2"/>
${marks.join('\n')}
  <text x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 42}" text-anchor="middle">devices enrolled</text>
</svg>
`
}
