import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAuditRules } from '../../../../agent/sensors/operations/audit.ts'
import { parseChrony } from '../../../../agent/sensors/operations/chrony.ts'
import { shellVariable, wordsOf } from '../../../../agent/sensors/operations/configuration.ts'
import { parseRsyslog } from '../../../../agent/sensors/operations/rsyslog.ts'
import { parseSyslogNg } from '../../../../agent/sensors/operations/syslog-ng.ts'
import { parseNtpConf, parseNtpdOptions, parseOpenNtpd } from '../../../../agent/sensors/operations/time-sync.ts'
import { parseUci } from '../../../../agent/sensors/operations/uci.ts'

const byteString = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const from = (...units: string[]) => fc.string({ maxLength: 60, unit: fc.constantFrom(...units) })

test.each<[string, (text: string) => unknown, string[]]>([
  ['chrony', parseChrony, ['server ', 'a', ' nts', '\n', 'include ', '"', '#', 'refclock ', ' ']],
  ['ntp.conf', parseNtpConf, ['server ', 'a', ' nts', '\n', '#', '-4 ', ' ']],
  ['OpenNTPD', parseOpenNtpd, ['server ', 'constraint ', 'from ', '"', '\n', ' ', 'a']],
  ['options of ntpd', parseNtpdOptions, ['NTPD_OPTS=', '"', "'", '-p', ' ', 'a', '\n']],
  [
    'rsyslog',
    parseRsyslog,
    ['*.* ', '@', '@@', 'action(', ')', '"', 'type="omfwd" ', 'target="a"', '\n', '\\', '$', '#', '(', 'x'],
  ],
  [
    'syslog-ng',
    parseSyslogNg,
    ['destination ', 'd', ' {', ' network(', '"a"', ')', '}', ';', '\n', '#', 'tls(', 'port(1)'],
  ],
  ['UCI', parseUci, ['config ', 'option ', 'list ', "'", 'a', ' ', '\n', '#', '"']],
  ['audit', (text) => parseAuditRules([text]), ['-w ', '/a', '\n', '#', '-e 2', ' ']],
])('%s: any text is understood or passed over, in time that is in proportion', (_, parse, units) => {
  fc.assert(fc.property(fc.oneof(byteString, from(...units)), (text) => void parse(text)))
  const before = process.cpuUsage()
  for (const unit of units) parse(unit.repeat(50_000))
  parse(Array.from({ length: 20_000 }, (__, index) => units[index % units.length]).join(''))
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(5)
})

const host = fc
  .string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'abc.-') })
  .filter((one) => !one.startsWith('-'))

test('what was written for chrony is what is read, in any case and with any options', () => {
  const kind = fc.constantFrom('server', 'pool', 'peer')
  const one = fc.record({
    kind,
    address: host,
    nts: fc.boolean(),
    options: fc.constantFrom('', ' iburst', ' minpoll 4'),
  })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 5 }), fc.boolean(), (all, upper) => {
      const text = all
        .map((s) => `${upper ? s.kind.toUpperCase() : s.kind}  ${s.address}${s.options}${s.nts ? ' nts' : ''}\n! x\n`)
        .join('')
      expect(parseChrony(text).servers).toEqual(
        all.map((s) => ({ service: 'chrony', kind: s.kind, address: s.address, nts: s.nts })),
      )
    }),
  )
})

describe('rsyslog', () => {
  const targetsOf = (text: string) =>
    parseRsyslog(text).targets.map(
      ({ selector, address, protocol, tls }) => `${selector} ${address} ${protocol} ${tls}`,
    )

  test.each([
    ['*.* @@log.example:514', ['*.* log.example:514 tcp off']],
    ['auth.*\t@10.0.0.1', ['auth.* 10.0.0.1 udp off']],
    ['*.* @@(o)log.example;Format', ['*.* log.example tcp off']],
    ['*.* @[2001:db8::1]:514', ['*.* [2001:db8::1]:514 udp off']],
    ['*.* :omrelp:log.example:2514', ['*.* log.example:2514 relp off']],
    ['$DefaultNetstreamDriver gtls\n$ActionSendStreamDriverMode 1\n*.* @@log.example', ['*.* log.example tcp on']],
    ['$ActionSendStreamDriverMode 1\n*.* @@log.example', ['*.* log.example tcp off']],
    ['$DefaultNetstreamDriver gtls\n*.* @@log.example', ['*.* log.example tcp off']],
    ['action(type="omfwd" target="a" port="514")', [' a:514 udp off']],
    [
      '*.* action(\n type="omfwd"\n target="a"\n protocol="tcp" StreamDriver="ossl"\n StreamDriverMode="1"\n)',
      ['*.* a tcp on'],
    ],
    [
      'global(DefaultNetstreamDriver="gtls")\naction(type="omfwd" target="a" protocol="tcp" StreamDriverMode="1")',
      [' a tcp on'],
    ],
    ['action(type="omrelp" target="a" tls="on")', [' a relp on']],
    ['action(type="omfile" file="/var/log/x@y")', []],
    ['#*.* @@log.example', []],
    ['mail.* -/var/log/mail@x', []],
    [':msg, contains, " @x" /var/log/x', []],
    [':msg, contains, "a b" @@log.example', [':msg, contains, "a b" log.example tcp off']],
    ['*.* @log.example # all', ['*.* log.example udp off']],
    ['& @@log.example', ['& log.example tcp off']],
    ['module(load="imuxsock") # @host', []],
  ])('%s', (text, expected) => {
    expect(targetsOf(text)).toEqual(expected)
  })

  test('both forms of includes', () => {
    expect(
      parseRsyslog('$IncludeConfig /etc/rsyslog.d/*.conf\ninclude(file="/etc/x.conf" mode="optional")').includes,
    ).toEqual(['/etc/rsyslog.d/*.conf', '/etc/x.conf'])
  })
})

describe('syslog-ng', () => {
  const targetsOf = (text: string) =>
    parseSyslogNg(text).map(({ selector, address, protocol, tls }) => `${selector} ${address} ${protocol} ${tls}`)

  test.each([
    ['destination d_net { network("log.example" transport("tls") port(6514)); };', ['d_net log.example:6514 tls on']],
    ['destination d { syslog("a" transport("tcp") tls(ca-dir("/x"))); };', ['d a tcp on']],
    ['destination d { tcp("10.0.0.1" port(514)); udp("b"); };', ['d 10.0.0.1:514 tcp off', 'd b udp off']],
    ['destination d { file("/var/log/x"); };\nsource s { network("0.0.0.0"); };', []],
    ['# destination d { tcp("a"); };', []],
    ['destination d_#x { file("/a#b"); };\n', []],
  ])('%s', (text, expected) => {
    expect(targetsOf(text)).toEqual(expected)
  })
})

test('OpenNTPD', () => {
  const text = 'servers pool.example\nserver a weight 2\nsensor *\nconstraint from "https://www.example"\nlisten on *\n'
  expect(parseOpenNtpd(text).map(({ kind, address }) => `${kind} ${address}`)).toEqual([
    'pool pool.example',
    'server a',
    'sensor *',
    'constraint https://www.example',
  ])
})

test('UCI: lists keep their order, a later option replaces an earlier one', () => {
  const [first, second] = parseUci(
    "config system\n option a '1'\n option a \"2\"\n\nconfig timeserver 'ntp'\n list s x\n list s y\n",
  )
  expect([first?.type, first?.name, first?.values.get('a')]).toEqual(['system', '', ['2']])
  expect([second?.type, second?.name, second?.values.get('s')]).toEqual(['timeserver', 'ntp', ['x', 'y']])
})

test('words and variables of a shell', () => {
  expect(wordsOf(`a "b c" 'd "e' f`)).toEqual(['a', 'b c', 'd "e', 'f'])
  expect(shellVariable('X=1\nX="2 3" # x\nY=4 # y\n', 'X')).toBe('2 3')
  expect(shellVariable('Y=4 # y\n', 'Y')).toBe('4')
  expect(shellVariable('#Y=4\n', 'Y')).toBeUndefined()
})
