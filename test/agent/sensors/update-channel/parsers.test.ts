import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redactAddress } from '../../../../agent/sensors/update-channel/address.ts'
import { parseOptions, parseRepositories } from '../../../../agent/sensors/update-channel/apk.ts'
import { iniEntries, parseIni } from '../../../../agent/sensors/update-channel/ini.ts'
import { parseLibconfig } from '../../../../agent/sensors/update-channel/libconfig.ts'
import { parseMenderFile } from '../../../../agent/sensors/update-channel/mender.ts'
import { parseOpkg, readUsignKey } from '../../../../agent/sensors/update-channel/opkg.ts'
import { readPemKeys } from '../../../../agent/sensors/update-channel/pem-keys.ts'
import { parseArguments } from '../../../../agent/sensors/update-channel/swupdate.ts'

const latin1 = fc.string({
  maxLength: 200,
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
})
const noise = fc.oneof(latin1, fc.string({ maxLength: 80, unit: fc.constantFrom(...'a=[]{}()";:,#\n\\ /-@') }))

test('no bytes make a parser throw', () => {
  fc.assert(
    fc.property(noise, (text) => {
      parseIni(text)
      parseLibconfig(text)
      parseRepositories(text)
      parseOptions(text)
      parseMenderFile(text)
      parseOpkg(text, { sources: [], options: new Map(), malformed: 0 })
      readUsignKey(text)
      readPemKeys(text)
      parseArguments(text)
      redactAddress(text)
    }),
    { numRuns: 500 },
  )
})

describe('INI', () => {
  const word = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'abcXYZ019-_.') })
  const value = fc.string({ maxLength: 12, unit: fc.constantFrom(...'ab =[];#"\\/:') }).map((text) => text.trim())
  const file = fc.uniqueArray(
    fc.tuple(word, fc.uniqueArray(fc.tuple(word, value), { maxLength: 4, selector: ([key]) => key })),
    { maxLength: 4, selector: ([name]) => name },
  )

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(
        file,
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('=', ' = ', '\t=  '),
        (groups, newline, equals) => {
          const text = groups
            .map(([name, entries]) => [`[${name}]`, '# x', ...entries.map(([key, one]) => key + equals + one), ''])
            .flat()
            .join(newline)
          const parsed = parseIni(text)
          expect(parsed.malformed).toBe(0)
          expect(parsed.sections.map(({ name, entries }) => [name, [...entries]])).toEqual(groups)
        },
      ),
    )
  })

  test('a line that begins with a blank continues the value, and an empty line ends it', () => {
    const { sections, malformed } = parseIni('[a]\nbaseurl=http://x\n  http://y\n\n  http://z\n')
    expect(sections[0]?.entries.get('baseurl')).toBe('http://x http://y')
    expect(malformed).toBe(1)
  })

  test('the last value of a key holds, also over groups of one name', () => {
    const parsed = parseIni('[m]\na=1\na=2\n[n]\na=4\n[m]\na=3\n')
    expect([...iniEntries(parsed, 'm')]).toEqual([['a', '3']])
    expect([...iniEntries(parsed, 'none')]).toEqual([])
  })

  test.each(['a=1', '[x]\nno value', '[x]\n=1', `${'[x]\n'.repeat(5000)}`])('%j is counted', (text) => {
    expect(parseIni(text).malformed).toBe(1)
  })
})

describe('libconfig', () => {
  test('the example of SWUpdate', () => {
    const { values, malformed } = parseLibconfig(`
      # comment
      globals :
      {
        verbose = true; loglevel = 5;
        public-key-file = "/etc/" "key.pem"; // two strings are one
        mtd-blacklist = [0, 1, 2];
      };
      /* another
         comment */
      identify : ( { name = "board"; value = "a\\"b\\x41"; }, { name = "x"; } );
      suricatta = { url = "https://host/";  polldelay = 360 }
    `)
    expect(malformed).toBe(0)
    expect(Object.fromEntries(values)).toEqual({
      'globals.verbose': 'true',
      'globals.loglevel': '5',
      'globals.public-key-file': '/etc/key.pem',
      'globals.mtd-blacklist.0': '0',
      'globals.mtd-blacklist.1': '1',
      'globals.mtd-blacklist.2': '2',
      'identify.0.name': 'board',
      'identify.0.value': 'a"bA',
      'identify.1.name': 'x',
      'suricatta.url': 'https://host/',
      'suricatta.polldelay': '360',
    })
  })

  type Value = string | Value[] | { [name: string]: Value }
  const name = fc.string({ minLength: 1, maxLength: 5, unit: fc.constantFrom(...'abcd-_') })
  const scalar = fc.string({ maxLength: 8, unit: fc.constantFrom(...'ab "\\;{}#/=') })
  const { group } = fc.letrec<{ value: Value; group: { [name: string]: Value } }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(tie('value'), { maxLength: 3 }),
      tie('group'),
    ),
    group: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  }))

  function write(value: Value): string {
    if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`
    if (Array.isArray(value)) return `( ${value.map(write).join(', ')} )`
    return `{ ${writeGroup(value)} }`
  }
  const writeGroup = (value: { [name: string]: Value }): string =>
    Object.entries(value)
      .map(([key, one]) => `${key} = ${write(one)};`)
      .join('\n')
  function* flat(value: Value, path: string): Generator<[string, string]> {
    if (typeof value === 'string') yield [path, value]
    else for (const [key, one] of Object.entries(value)) yield* flat(one, path === '' ? key : `${path}.${key}`)
  }

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(group, (value) => {
        const parsed = parseLibconfig(writeGroup(value))
        expect(parsed.malformed).toBe(0)
        expect(new Map(parsed.values)).toEqual(new Map(flat(value, '')))
      }),
    )
  })

  test.each(['a = ', '= 1;', 'a = { b = 1;', 'a = 1; }', 'a = ( 1 ]', '"a"', '/* open', '@include "x"', 'a = "open'])(
    '%j is counted',
    (text) => {
      expect(parseLibconfig(text).malformed).toBeGreaterThan(0)
    },
  )

  test.each(['{', 'a={', '(', '"', 'a=1;', '/*', 'a="\\', '#'])('a megabyte of %j ends in time', (unit) => {
    const before = performance.now()
    parseLibconfig(unit.repeat(1_000_000 / unit.length))
    expect(performance.now() - before).toBeLessThan(30_000)
  })
})

describe('addresses without what may be a secret', () => {
  test.each([
    ['https://user:pass@host/path?token=1', 'https://[redacted]@host/path?[redacted]'],
    ['user:pass@proxy:3128', '[redacted]@proxy:3128'],
    ['hawkbit.example.com:8443', 'hawkbit.example.com:8443'],
    ['10.0.0.1:8080', '10.0.0.1:8080'],
    ['host', 'host'],
    ['/media/usb', '/media/usb'],
    ['/usr/bin/proxy-for', '/usr/bin/proxy-for'],
    ['DIRECT', 'DIRECT'],
  ])('%s', (text, shown) => {
    expect(redactAddress(text)).toBe(shown)
  })

  test('a password never shows, with a scheme or without', () => {
    const secret = fc.string({ minLength: 6, maxLength: 12, unit: fc.constantFrom(...'SECRT') })
    fc.assert(
      fc.property(
        fc.constantFrom('', 'http://', 'https://'),
        secret,
        fc.constantFrom('', ':80', '/a'),
        (scheme, word, rest) => {
          expect(redactAddress(`${scheme}u:${word}@host${rest}`)).not.toContain(word)
        },
      ),
    )
  })
})
