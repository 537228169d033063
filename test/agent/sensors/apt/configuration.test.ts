import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  parseAptConfiguration,
  watchedOverrides,
  type AptSettings,
} from '../../../../agent/sensors/apt/configuration.ts'

function read(...files: string[]) {
  const settings: AptSettings = new Map()
  let malformed = 0
  for (const file of files) malformed += parseAptConfiguration(file, settings)
  return {
    overrides: Object.fromEntries(watchedOverrides(settings).map(({ name, value }) => [name, value])),
    malformed,
  }
}

const INSECURE = 'Acquire::AllowInsecureRepositories'

test.each([
  `${INSECURE} "true";`,
  `${INSECURE} true;`,
  'acquire { allowinsecurerepositories "true"; };',
  'Acquire\n{\n  Retries "3";\n  // a comment\n  AllowInsecureRepositories "true"; # another\n};',
  `/* ${INSECURE} "false"; */ ${INSECURE} "true";`,
  `${INSECURE} "false"; ${INSECURE} "true";`,
  `DPkg::Post-Invoke { "rm -f /x; // {"; }; ${INSECURE} "true";`,
  `Proxy "http://proxy:3128"; ${INSECURE} "true";`,
])('%j switches the check off', (text) => {
  expect(read(text)).toEqual({ overrides: { [INSECURE]: 'true' }, malformed: 0 })
})

test.each([
  `// ${INSECURE} "true";`,
  `# ${INSECURE} "true";`,
  `/* ${INSECURE} "true"; */`,
  `Other { ${INSECURE} "true"; };`,
  '',
])('%j does not', (text) => {
  expect(read(text)).toEqual({ overrides: {}, malformed: 0 })
})

test('a later file wins, and can clear', () => {
  expect(read(`${INSECURE} "true";`, `${INSECURE} "false";`).overrides).toEqual({ [INSECURE]: 'false' })
  expect(read(`${INSECURE} "true";`, '#clear Acquire;')).toEqual({ overrides: {}, malformed: 0 })
})

test('all watched settings, also for one host', () => {
  const text = 'APT::Get::AllowUnauthenticated "1"; Acquire::https::repo.example.org::Verify-Peer "false";'
  expect(read(text).overrides).toEqual({
    'APT::Get::AllowUnauthenticated': '1',
    'acquire::https::repo.example.org::verify-peer': 'false',
  })
})

test.each([
  ['an unclosed quote', `X "${INSECURE}`],
  ['an unclosed comment', '/* never'],
  ['an unclosed scope', 'Acquire {'],
  ['a scope closed twice', 'Acquire { }; };'],
  ['a statement without its end', 'A "b"'],
  ['two values', 'A "b" "c";'],
  ['an include', '#include /root/x;'],
  ['scopes without end', '{'.repeat(1000)],
])('%s is counted', (_, text) => {
  expect(read(text).malformed).toBeGreaterThan(0)
})

test.each(['{', '"', '/*', '#clear A;', 'a b;', '//', '[', 'Acquire::https::a::Verify-Peer 1;'])(
  'a megabyte of %j ends in time',
  (unit) => {
    const before = performance.now()
    read(unit.repeat(1_000_000 / unit.length))
    expect(performance.now() - before).toBeLessThan(30_000)
  },
)

test.skipIf(!existsSync('/usr/bin/apt-config'))('agrees with apt-config on the files of this machine', () => {
  const directory = '/etc/apt/apt.conf.d'
  const files = readdirSync(directory)
    .filter((name) => /^[A-Za-z0-9_-]+(?:\.conf)?$/.test(name))
    .sort()
    .map((name) => readFileSync(`${directory}/${name}`, 'latin1'))
  const dump = execFileSync('apt-config', ['dump'], { encoding: 'utf8' })
  const { overrides, malformed } = read(...files)
  expect(malformed).toBe(0)
  for (const [name, value] of Object.entries(overrides))
    expect(dump.toLowerCase()).toContain(`${name.toLowerCase()} "${value}"`)
})
