// `npm test`: prepares the machine, then runs the static checks and every test, and ends with one plain line.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareOrExit, repository } from './prepare.mjs'

await prepareOrExit('test')

const node = (script, ...args) =>
  spawnSync(process.execPath, [script, ...args], { cwd: repository, stdio: 'inherit' }).status ?? 1
const tool = (name, path) => join(repository, 'node_modules', name, path)

const checks = [
  ['lint', () => node(tool('oxlint', 'bin/oxlint'), '--quiet', '.')],
  ['format', () => node(tool('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.')],
  ['unused code', () => node(tool('knip', 'bin/knip.js'), '--no-progress')],
]
const failedChecks = checks.filter(([, check]) => check() !== 0).map(([name]) => name)

const work = mkdtempSync(join(tmpdir(), 'keepseal-test-'))
const reportFile = join(work, 'report.json')
const status = node(
  tool('vitest', 'vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${reportFile}`,
  ...process.argv.slice(2),
)

let passed = 0
let failed = 0
let skipped = 0
try {
  const report = JSON.parse(readFileSync(reportFile, 'utf8'))
  passed = report.numPassedTests
  // A test file that could not even be loaded has no failed test of its own, but it is a failure.
  failed = Math.max(report.numFailedTests, report.success ? 0 : 1)
  skipped = report.numPendingTests + report.numTodoTests
} catch {
  failed = 1
} finally {
  rmSync(work, { recursive: true, force: true })
}
if (failedChecks.length > 0) process.stdout.write(`Failed checks: ${failedChecks.join(', ')}\n`)
failed += failedChecks.length
if (status !== 0 && failed === 0) failed = 1
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
