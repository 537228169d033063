import { expect, test } from 'vitest'
import { defineConfig, option } from '../../../shared/config/definition.ts'
import { resolveConfig } from '../../../shared/config/resolve.ts'
import { describeSource, settingFromAssignment } from '../../../shared/config/settings.ts'
import { choice, integer } from '../../../shared/config/value-types.ts'

const definition = defineConfig(
  'sample',
  {
    link: {
      preset: option(choice(['usual', 'narrow']), 'usual', 'The kind of link.'),
      seconds: option(integer(1, 9999), 300, 'How often.'),
      least: option(integer(1, 9999), 10, 'Not more often.'),
    },
  },
  [
    {
      names: ['link.seconds', 'link.least'],
      requirement: 'be at least link.least',
      holds: ({ link }) => link.seconds >= link.least,
    },
  ],
  [{ name: 'link.preset', defaults: { narrow: { 'link.seconds': 3600, 'link.least': 60 } } }],
)

const resolved = (...assignments: string[]) =>
  resolveConfig(
    definition,
    assignments.map((text) => settingFromAssignment(definition, text)),
  )

test('without the preset its defaults are not in force', () => {
  expect(resolved().values.link).toEqual({ preset: 'usual', seconds: 300, least: 10 })
})

test('the defaults of a preset are in force, and say where they are from', () => {
  const { values, origin } = resolved('link.preset=narrow')
  expect(values.link).toEqual({ preset: 'narrow', seconds: 3600, least: 60 })
  expect(describeSource(origin.get('link.seconds') ?? { kind: 'default' })).toBe('link.preset = "narrow"')
})

test.each([
  ['after', ['link.preset=narrow', 'link.seconds=900']],
  ['before', ['link.seconds=900', 'link.preset=narrow']],
])('what somebody sets %s the preset holds against it', (_, assignments) => {
  expect(resolved(...assignments).values.link).toEqual({ preset: 'narrow', seconds: 900, least: 60 })
})

test('rules look at what is in force with the preset', () => {
  expect(() => resolved('link.preset=narrow', 'link.seconds=30')).toThrow('link.seconds')
})
