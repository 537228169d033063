import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptedLanguage, PUBLIC_LANGUAGES, publicTexts } from '../../../collector/api/public/public-texts.ts'

describe('the language of the public pages', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['en-GB,en;q=0.9,de;q=0.8', 'en'],
    ['fr-FR,fr;q=0.9,de;q=0.3', 'de'],
    ['en;q=0.4,de;q=0.9', 'de'],
    ['de;q=0,en;q=0.1', 'en'],
    ['de;q=7', 'en'],
    ['DE-de', 'de'],
    ['dede', 'en'],
    ['*', 'en'],
  ])('for %s is %s', (header, language) => {
    expect(acceptedLanguage(header)).toBe(language)
  })

  it('is one of them whatever a browser sends', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2000 }), (header) => PUBLIC_LANGUAGES.includes(acceptedLanguage(header))),
    )
  })

  it('leaves words that it does not know as they are', () => {
    expect(publicTexts('de').word('toString')).toBe('toString')
    expect(publicTexts('de').word('valid')).toBe('gültig')
    expect(publicTexts('en').word('valid')).toBe('valid')
  })
})
