import { describe, expect, test } from 'vitest'
import { unchangedMappings } from '../../../agent/service/give-back.ts'

/** One mapping as proc_pid_smaps(5) tells it, with figures in KiB. */
function mapping(line: string, figures: Readonly<Record<string, number>> = {}): string {
  const all = { Rss: 4, Shared_Dirty: 0, Private_Clean: 4, Private_Dirty: 0, Anonymous: 0, Swap: 0, ...figures }
  return `${line}\n${Object.entries(all)
    .map(([name, value]) => `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`)
    .join('')}VmFlags: rd mr mw me sd\n`
}

const TEXT = '55d0c0a00000-55d0c0a04000 r-xp 00a00000 08:01 1234   /usr/lib/keepseal/node'
const DATA = '55d0c0a04000-55d0c0a05000 r--p 00a04000 08:01 1234   /usr/lib/keepseal/node'

const PROGRAM = '/usr/lib/keepseal/node'

test('program text and constants of its file are given back', () => {
  expect(unchangedMappings(mapping(TEXT) + mapping(DATA), PROGRAM)).toEqual([
    { start: 0x55d0c0a00000, length: 0x4000 },
    { start: 0x55d0c0a04000, length: 0x1000 },
  ])
})

describe('kept is', () => {
  test.each([
    ['what the loader has relocated', mapping(DATA, { Anonymous: 4, Private_Dirty: 4 })],
    ['what is dirty', mapping(DATA, { Private_Dirty: 4 })],
    ['what is in swap', mapping(DATA, { Swap: 4 })],
    ['what may be written', mapping(DATA.replace('r--p', 'rw-p'))],
    ['code that may be written', mapping(TEXT.replace('r-xp', 'rwxp'))],
    ['what is shared with others', mapping(DATA.replace('r--p', 'r--s'))],
    ['what nobody may read', mapping(DATA.replace('r--p', '---p'))],
    ['memory without a file', mapping('7f00c0a04000-7f00c0a05000 r--p 00000000 00:00 0')],
    ["the kernel's own pages", mapping('7ffd1a5f2000-7ffd1a5f4000 r-xp 00000000 00:00 0   [vdso]')],
    ['a mapping of which the kernel does not tell whether it was changed', `${TEXT}\nRss:   4 kB\n`],
    ['what belongs to a library', mapping(TEXT.replace(PROGRAM, '/usr/lib/libc.so.6'))],
    ['nothing of no text', ''],
  ])('%s', (_, smaps) => {
    expect(unchangedMappings(smaps, PROGRAM)).toEqual([])
  })
})
