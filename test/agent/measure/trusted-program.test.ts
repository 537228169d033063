import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findTrustedProgram, type PathFacts, type PathReader } from '../../../agent/measure/trusted-program.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('trusted-program')

type Entry = PathFacts | { readonly link: string }

const directory = { kind: 'directory', uid: 0, mode: 0o755 } as const
const program = { kind: 'file', uid: 0, mode: 0o755 } as const

/** A system with merged /usr, a program, and whatever a test puts into it. */
function find(path: string, over: Readonly<Record<string, Entry>> = {}) {
  const entries: Readonly<Record<string, Entry>> = {
    '/': directory,
    '/usr': directory,
    '/usr/sbin': directory,
    '/sbin': { link: 'usr/sbin' },
    '/etc': directory,
    '/etc/alternatives': directory,
    '/usr/sbin/nft': program,
    ...over,
  }
  const at = (name: string): Entry => {
    const entry = entries[name]
    if (entry === undefined) throw Object.assign(new Error(name), { code: 'ENOENT' })
    return entry
  }
  const reader: PathReader = {
    look: (name) => {
      const entry = at(name)
      return 'link' in entry ? { kind: 'link', uid: 1000, mode: 0o777 } : entry
    },
    readLink: (name) => (at(name) as { link: string }).link,
  }
  return findTrustedProgram(path, reader)
}

describe('a program that only root can have put there', () => {
  test.each<[string, string, Readonly<Record<string, Entry>>]>([
    ['directly', '/usr/sbin/nft', {}],
    ['by a link to a directory', '/sbin/nft', {}],
    ['by an absolute link', '/usr/sbin/x', { '/usr/sbin/x': { link: '/usr/sbin/nft' } }],
    ['by a relative link', '/usr/sbin/x', { '/usr/sbin/x': { link: '../sbin/./nft' } }],
    [
      'by two links',
      '/usr/sbin/x',
      { '/usr/sbin/x': { link: '/etc/alternatives/x' }, '/etc/alternatives/x': { link: '/sbin/nft' } },
    ],
  ])('is found %s', (_, path, over) => {
    expect(find(path, over)).toEqual({ status: 'trusted', path: '/usr/sbin/nft' })
  })
})

describe('a program is not trusted', () => {
  test.each<[string, string, Readonly<Record<string, Entry>>]>([
    ['that belongs to somebody else', '/usr/sbin/nft', { '/usr/sbin/nft': { ...program, uid: 1000 } }],
    ['that its group may write to', '/usr/sbin/nft', { '/usr/sbin/nft': { ...program, mode: 0o775 } }],
    ['that all may write to', '/usr/sbin/nft', { '/usr/sbin/nft': { ...program, mode: 0o757 } }],
    ['in a directory of somebody else', '/usr/sbin/nft', { '/usr': { ...directory, uid: 1 } }],
    ['in a directory that all may write to', '/usr/sbin/nft', { '/usr/sbin': { ...directory, mode: 0o1777 } }],
    ['behind a link to such a directory', '/sbin/nft', { '/usr/sbin': { ...directory, mode: 0o777 } }],
    [
      'behind a link that others may exchange',
      '/usr/sbin/x',
      {
        '/usr/sbin/x': { link: '/etc/alternatives/x' },
        '/etc/alternatives': { ...directory, mode: 0o777 },
        '/etc/alternatives/x': { link: '/usr/sbin/nft' },
      },
    ],
    ['that nobody may run', '/usr/sbin/nft', { '/usr/sbin/nft': { ...program, mode: 0o644 } }],
    ['that is a directory', '/usr/sbin', {}],
    ['that is a device', '/usr/sbin/nft', { '/usr/sbin/nft': { ...program, kind: 'other' } }],
    ['where a link leads back from a file', '/usr/sbin/x', { '/usr/sbin/x': { link: 'nft/..' } }],
    ['in a loop of links', '/usr/sbin/x', { '/usr/sbin/x': { link: 'x' } }],
  ])('%s', (_, path, over) => {
    expect(find(path, over).status).toBe('untrusted')
  })
})

test.each(['/usr/sbin/iptables', '/opt/sbin/nft'])('%s is absent', (path) => {
  expect(find(path)).toEqual({ status: 'absent' })
})

test('a program of this system is trusted, and one below a directory of all is not', () => {
  expect(findTrustedProgram('/bin/sh').status).toBe('trusted')
  const own = join(scratch(), 'program')
  writeFileSync(own, '#!/bin/sh\n')
  chmodSync(own, 0o755)
  expect(findTrustedProgram(own).status).toBe('untrusted')
})
