import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { chartDirectory, RELEASE, renderChart, type ChartValues } from '../../support/helm-chart.ts'
import { run } from '../../vm/run.ts'

/** Where Debian keeps the sources of Go's libraries; without modules nothing is fetched. */
const GO = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' }

let directory: string
let program: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepseal-helm-'))
  program = join(directory, 'render')
  const env = { ...process.env, ...GO, GOCACHE: join(directory, 'cache') }
  run('go', ['build', '-o', program, '.'], { cwd: import.meta.dirname, env })
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** By Go's template engine, the text of each template by the name of its file. */
function renderByGo(values: ChartValues): Readonly<Record<string, string>> {
  const file = join(directory, 'values.json')
  writeFileSync(file, JSON.stringify(values))
  return JSON.parse(run(program, [RELEASE, chartDirectory, file])) as Readonly<Record<string, string>>
}

interface Named {
  readonly kind: string
  readonly metadata: { readonly name: string }
}

/** The resources by kind and name: Go goes through maps in the order of their keys, and we as they are written. */
function resourcesOf(templates: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  const found = Object.entries(templates).flatMap(([file, text]) =>
    parseAllDocuments(text).flatMap((document) => {
      expect([file, document.errors, document.warnings]).toEqual([file, [], []])
      const content = document.toJS() as Named | null
      return content === null ? [] : [[`${content.kind} ${content.metadata.name}`, content] as const]
    }),
  )
  const resources = Object.fromEntries(found)
  expect(Object.keys(resources)).toHaveLength(found.length)
  return resources
}

describe("the chart for Kubernetes, rendered by Go's template engine", () => {
  it.each<[string, ChartValues]>([
    ['as it is shipped', {}],
    ['where nobody may come in', { networkPolicy: { apiFrom: [], metricsFrom: [], alsoTo: [] } }],
    ['with the roots of TPM vendors', { ekRootsConfigMap: 'roots' }],
    [
      'with text that YAML could misread',
      { publicUrl: 'https://a.example/"\\: #{{', configuration: 'a = "\\n"\n\t# é\n' },
    ],
  ])('is what our own reader makes of it, %s', (_, values) => {
    const expected = resourcesOf(renderChart(values))
    expect(Object.keys(expected)).toHaveLength(13)
    expect(resourcesOf(renderByGo(values))).toEqual(expected)
  })

  it('replaces one value of a map and keeps the others', () => {
    const resources = resourcesOf(renderByGo({ image: { tag: 'other' } }))
    expect(resources['StatefulSet fleet-api']).toMatchObject({
      spec: {
        template: { spec: { containers: [{ image: 'keepseal-collector:other', imagePullPolicy: 'IfNotPresent' }] } },
      },
    })
  })

  it('is refused where a value is not there', () => {
    expect(() => renderByGo({ secrets: { keys: null } })).toThrow(/map has no entry for key "keys"/)
  })
})
