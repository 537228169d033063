import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { table } from '../../../shared/cli/table.ts'
import { styler } from '../../../shared/cli/terminal.ts'
import { displayWidth } from '../../../shared/text/printable.ts'
import { recordTerminal } from '../../support/terminal.ts'

const plain = { width: 80, style: styler(recordTerminal()) }

describe('table', () => {
  test('aligns its columns', () => {
    const text = table(
      [{ title: 'NAME' }, { title: 'COUNT', align: 'right' }],
      [
        ['alpha', '7'],
        ['b', '100'],
      ],
      plain,
    )
    expect(text).toBe('NAME   COUNT\nalpha      7\nb        100\n')
  })

  test('cuts the widest column, and leaves one that must be copied whole', () => {
    const id = 'a'.repeat(40)
    const text = table([{ title: 'ID', shrinks: false }, { title: 'TITLE' }], [[id, 'b'.repeat(60)]], plain)
    const row = text.split('\n')[1] ?? ''
    expect(row).toContain(id)
    expect(row).toMatch(/b…$/)
    expect(displayWidth(row)).toBe(80)
  })

  test('fits the terminal whatever the cells hold', () => {
    const points = fc.array(fc.oneof(fc.nat(0x2ff), fc.nat(0x2ffff)), { maxLength: 100 })
    const cell = points.map((each) => String.fromCodePoint(...each))
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 4, maxLength: 4 }), { maxLength: 4 }),
        fc.constantFrom(20, 80),
        (rows, width) => {
          const columns = [{ title: 'ONE' }, { title: 'TWO', shrinks: false }, { title: 'THREE' }, { title: 'FOUR' }]
          const lines = table(columns, rows, { ...plain, width }).split('\n')
          expect(lines).toHaveLength(rows.length + 2)
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('a name that a device chose cannot write to the terminal', () => {
    expect(table([{ title: 'NAME' }], [['\u001b]0;owned\u0007']], plain)).toBe('NAME\n\\u{1b}]0;owned\\u{7}\n')
  })

  test('styles do not change the widths', () => {
    const columns = [{ title: 'A', style: () => 'red' as const }, { title: 'B' }]
    const coloured = table(columns, [['x', 'y']], { ...plain, style: styler(recordTerminal({ isTty: true })) })
    // oxlint-disable-next-line no-control-regex
    expect(coloured.replace(/\u001b\[[0-9]+m/g, '')).toBe(table(columns, [['x', 'y']], plain))
    expect(coloured).toContain('\u001b[31mx')
  })
})

describe('colours', () => {
  test.each([
    ['off a terminal', { isTty: false, env: {} }, false],
    ['on a terminal', { isTty: true, env: {} }, true],
    ['under NO_COLOR', { isTty: true, env: { NO_COLOR: '1' } }, false],
    ['under an empty NO_COLOR', { isTty: true, env: { NO_COLOR: '' } }, true],
    ['on a dumb terminal', { isTty: true, env: { TERM: 'dumb' } }, false],
  ])('%s', (_, overrides, coloured) => {
    expect(styler(recordTerminal(overrides))('red', 'x') !== 'x').toBe(coloured)
  })
})
