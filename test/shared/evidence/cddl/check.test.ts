import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../../shared/bytes/bytes.ts'
import { loadCddl } from '../../../support/cddl.ts'

/** CDDL, items that match its first rule, items that do not. All items in hexadecimal. */
const SAMPLES: readonly [cddl: string, good: readonly string[], bad: readonly string[]][] = [
  ['a = uint', ['00', '1903e8'], ['20', '6161', '40', 'f6']],
  ['a = int', ['00', '20'], ['f4', '6161']],
  ['a = bool / null', ['f4', 'f5', 'f6'], ['00', '80']],
  ['a = tstr', ['60', '6161'], ['4161', '00']],
  ['a = bstr', ['40', '4161'], ['6161', '00']],
  ['a = -19', ['32'], ['12', '33']],
  ['a = "x"', ['6178'], ['6179', '4178']],
  ['a = 2..4', ['02', '04'], ['01', '05', '6102']],
  ['a = uint .le 3', ['00', '03'], ['04', '20']],
  ['a = int .ge -1', ['20', '00'], ['21']],
  ['a = bstr .size 2', ['420102'], ['4101', '43010203', '626161']],
  ['a = bstr .size (1..2)', ['4101', '420102'], ['40', '43010203']],
  ['a = tstr .size 2', ['626161', '62c3bc'], ['6161', '63e6b0b4']],
  ['a = tstr .regexp "[a-z][0-9]?"', ['6161', '626131'], ['60', '6131', '63613131', '62610a']],
  ['a = bstr .cbor [uint]', ['428101'], ['428120', '8101', '438101ff', '40', '4181']],
  ['a = #6.18([uint])', ['d28101'], ['8101', 'd18101', 'd28120', 'd2d28101']],
  ['a = []', ['80'], ['8101', 'a0']],
  ['a = [x: uint, y: tstr]', ['82016161'], ['8101', '82616101', '8301616101', '80']],
  ['a = [* uint]', ['80', '820102'], ['82016161', '8120', 'a0']],
  ['a = [+ uint]', ['8101'], ['80']],
  ['a = [1*2 uint]', ['8101', '820102'], ['80', '83010203']],
  ['a = [uint, ? tstr]', ['8101', '82016161'], ['8301616101', '820102', '80']],
  ['a = [* uint, tstr]', ['816161', '82016161'], ['8101', '80']],
  ['a = {}', ['a0'], ['a10101', '80']],
  [
    'a = { 1 => uint, ? -2 => tstr }',
    ['a10101', 'a20101216161'],
    ['a0', 'a10120', 'a1216161', 'a201012101', 'a201010201'],
  ],
  ['a = { + tstr => uint }', ['a1616101', 'a2616101616202'], ['a0', 'a16161f4', 'a10101', 'a261610161626162']],
  ['a = { 0*1 tstr => uint }', ['a0', 'a1616101'], ['a2616101616202']],
  ['a = { (tstr .size 1) => uint / bool }', ['a1616101', 'a16161f4'], ['a162616101', 'a16161f6']],
  ['a = b<"x", uint> b<k, v> = [k, v]', ['82617801'], ['82617901', '82617820']],
  // The argument `k` of the outer rule is another one than the parameter `k` of the inner.
  ['a = o<uint> o<k> = i<tstr, k> i<k, v> = [k, v]', ['82616101'], ['82016161', '820101']],
  ['a = [* b] b = uint / a ; recursion', ['80', '83018081818102'], ['816161']],
]

describe('the CDDL check', () => {
  for (const [cddl, good, bad] of SAMPLES) {
    it(`tells what is ${cddl}`, () => {
      const { check } = loadCddl(cddl)
      for (const hex of good) expect(check('a', fromHex(hex)), hex).toBeUndefined()
      for (const hex of bad) expect(check('a', fromHex(hex)), hex).toBeDefined()
    })
  }

  it('says where and why', () => {
    const { check } = loadCddl('a = { 1 => [x: uint, y: bstr .cbor { 2 => tstr }] }')
    expect(check('a', fromHex('a101820143a10203'))).toBe('a.1.1<>.2: no tstr')
  })

  it('refuses what is not deterministic, whatever the rule', () => {
    expect(loadCddl('a = uint').check('a', fromHex('1801'))).toMatch(/no deterministic CBOR/)
  })

  it('throws for a rule that there is not, or that needs arguments', () => {
    const { check } = loadCddl('a = b<uint> b<x> = x')
    expect(() => check('c', fromHex('00'))).toThrow()
    expect(() => check('b', fromHex('00'))).toThrow()
  })

  it('knows which rules a rule leads to', () => {
    const { reachable, names } = loadCddl('a = b<c> b<x> = [x] c = uint d = a')
    expect([...reachable('a')].sort()).toEqual(['a', 'b', 'c'])
    expect(names).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('CDDL that the check does not understand is refused:', () => {
  it.each([
    ['a name that nothing defines', 'a = b'],
    ['a prelude type that is not implemented', 'a = float'],
    ['any', 'a = any'],
    ['a rule twice', 'a = uint a = tstr'],
    ['an extended rule', 'a = uint a /= tstr'],
    ['a group choice', 'a = [uint // tstr]'],
    ['a group', 'a = [b] b = (uint, tstr)'],
    ['an inline group', 'a = [(uint, tstr)]'],
    ['an unwrapped group', 'a = [~b] b = [uint]'],
    ['an enumeration from a group', 'a = &b b = (x: 1)'],
    ['a cut', 'a = { 1 ^ => uint }'],
    ['a socket', 'a = $b'],
    ['an exclusive range', 'a = 1...3'],
    ['a range of floats', 'a = 1.5..2.5'],
    ['a range of names', 'a = b..c b = 1 c = 2'],
    ['a float', 'a = 1.5'],
    ['an exponent', 'a = 1e3'],
    ['a hexadecimal number', 'a = 0x10'],
    ['a byte string', "a = 'x'"],
    ['an escape in a text', String.raw`a = "\n"`],
    ['an unknown control', 'a = uint .ne 3'],
    ['a size of a number', 'a = uint .size 3'],
    ['a control on a type that it is not implemented for', 'a = bstr .le 3'],
    ['a control with an argument that it is not implemented for', 'a = bstr .size b b = 3'],
    ['a pattern that is no text', 'a = tstr .regexp 3'],
    ['a tag without a number', 'a = #6(uint)'],
    ['a major type', 'a = #1.5'],
    ['a map entry without a key', 'a = { uint }'],
    ['a map entry with a bare word', 'a = { x: uint }'],
    ['too few arguments', 'a = b<uint> b<x, y> = [x, y]'],
    ['too many arguments', 'a = b<uint, uint> b<x> = [x]'],
    ['arguments of a plain rule', 'a = b<uint> b = uint'],
    ['a parameter that hides a rule', 'a = b<uint> b<c> = [c] c = uint'],
    ['a rule that hides the prelude', 'uint = tstr'],
    ['entries without a comma', 'a = [uint tstr]'],
    ['an array that does not end', 'a = [uint'],
    ['a rule without a type', 'a ='],
    ['text behind the rules', 'a = uint ]'],
  ])('%s', (_, cddl) => {
    expect(() => loadCddl(cddl)).toThrow(/CDDL/)
  })
})
