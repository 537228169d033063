import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describe, expect, it } from 'vitest'
import { client } from '../../../collector/cli/client/program.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { inspectImaList } from '../../../shared/ima/inspect.ts'
import { asciiList, binaryList, goodList, pcr10Of, type ImaSpec } from '../../support/ima-builder.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { recordTerminal } from '../../support/terminal.ts'

const specs: readonly ImaSpec[] = [
  ...goodList(),
  { path: '/tmp/\u001b[31mred', template: 'ima-sig', signature: Buffer.from('030204c0ffee00000100', 'hex') },
  { path: '/var/log/x', violation: true },
  { path: '/elsewhere', pcr: 11 },
]

describe('keepseal inspect ima', () => {
  const scratch = useScratchDirectories('inspect-ima')

  async function run(content: Uint8Array, ...options: string[]) {
    const file = join(scratch(), 'list')
    writeFileSync(file, content)
    const terminal = recordTerminal({ env: {} })
    const code = await runProgram(client, ['inspect', 'ima', file, ...options], terminal, parseArgs)
    return { code, stdout: terminal.stdout(), stderr: terminal.stderr() }
  }

  it('shows entries, what PCR 10 would be, and what is wrong, with nothing that a terminal would obey', async () => {
    const { code, stdout } = await run(binaryList(specs))
    expect(code).toBe(0)
    for (const part of ['boot_aggregate', '\\u{1b}[31mred', '/var/log/x  (VIOLATION)', '/elsewhere  (PCR 11)']) {
      expect(stdout).toContain(part)
    }
    expect(stdout).not.toContain('\u001b')
    expect(stdout).toContain(pcr10Of(specs.slice(0, -1)).toString('hex'))
    expect(stdout).toMatch(/^violations +1$/m)
  })

  it('prints the same as JSON, of either format', async () => {
    const { stdout } = await run(asciiList(goodList()), '--json')
    expect(JSON.parse(stdout)).toEqual(inspectImaList(asciiList(goodList()), hash))
  })

  it('names the code of a list that is cut', async () => {
    const { code, stdout, stderr } = await run(binaryList(specs).subarray(0, 300))
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/entry \d+: /)
  })
})
