import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { loadCollectorConfig } from '../../collector/config/load.ts'
import { ROLES } from '../../collector/roles/role.ts'
import { repository } from '../architecture/sources.ts'
import { readChart, renderChart, type ChartValues } from '../support/helm-chart.ts'
import { renderTemplate } from '../support/helm-templates.ts'

const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }
const about = parse(readChart('Chart.yaml')) as { readonly version: string; readonly appVersion: string }
const values = parse(readChart('values.yaml')) as ChartValues & {
  readonly roles: Readonly<Record<string, { readonly replicas: number; readonly minAvailable: number }>>
}

interface SecurityContext {
  readonly allowPrivilegeEscalation?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly runAsNonRoot?: boolean
  readonly runAsUser?: number
  readonly capabilities?: { readonly drop: readonly string[] }
}
interface Container {
  readonly image: string
  readonly args?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly securityContext: SecurityContext
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: string } }
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } }
}
interface Pod {
  readonly securityContext: SecurityContext
  readonly automountServiceAccountToken: boolean
  readonly initContainers: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes: readonly { readonly name: string }[]
}
interface Resource {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
  readonly spec: {
    readonly replicas: number
    readonly minAvailable: number
    readonly policyTypes: readonly string[]
    readonly ingress: readonly unknown[]
    readonly template: { readonly metadata: { readonly labels: ChartValues }; readonly spec: Pod }
    readonly selector: { readonly matchLabels: ChartValues }
  }
}

function render(changes: ChartValues = {}): readonly Resource[] {
  return Object.entries(renderChart(changes)).flatMap(([file, text]) =>
    parseAllDocuments(text).flatMap((document) => {
      expect([file, document.errors, document.warnings]).toEqual([file, [], []])
      const content = document.toJS() as Resource | null
      return content === null ? [] : [content]
    }),
  )
}

const resources = render()
const ofKind = (kind: string): readonly Resource[] => resources.filter((resource) => resource.kind === kind)
const sets = ofKind('StatefulSet')
const pods = sets.map(({ metadata, spec }) => [metadata.name, spec.template.spec] as const)

describe('the chart for Kubernetes', () => {
  it('is of the version of the program', () => {
    expect([about.version, about.appVersion]).toEqual([version, version])
    expect(pods[0]?.[1].containers[0]?.image).toBe(`keepseal-collector:${version}`)
  })

  it('has a set, and a budget for disruptions that can be kept, for each role and no other', () => {
    const names = ROLES.map((role) => `fleet-${role}`).sort()
    expect(sets.map(({ metadata }) => metadata.name).sort()).toEqual(names)
    expect(
      ofKind('PodDisruptionBudget')
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(names)
    for (const { replicas, minAvailable } of Object.values(values.roles)) expect(minAvailable).toBeLessThan(replicas)
  })

  it.each(pods)('%s runs without root, capabilities, a writable root and a token of the cluster', (_, pod) => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10_001 })
    expect(pod.automountServiceAccountToken).toBe(false)
    for (const { securityContext } of [...pod.containers, ...pod.initContainers]) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
    }
  })

  it.each(pods)('%s is configured by options that there are, for its own role', (name, pod) => {
    const [container] = pod.containers
    const environment = Object.fromEntries(container?.env.map((each) => [each.name, each.value]) ?? [])
    const { values: loaded } = loadCollectorConfig({ config: '/dev/null' }, environment)
    expect(loaded.serve.roles.map((role) => `fleet-${role}`)).toEqual([name])
    expect([loaded.store.engine, loaded.mqtt.broker]).toEqual(['postgresql', 'mqtts://broker:8883'])
  })

  it.each(pods)('%s is asked where it answers, and mounts what there is', (_, pod) => {
    const [container] = pod.containers
    expect(container?.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' })
    expect(container?.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'metrics' })
    expect(container?.ports).toContainEqual({ name: 'metrics', containerPort: 9464 })
    const volumes = pod.volumes.map(({ name }) => name)
    const mounted = [...pod.containers, ...pod.initContainers].flatMap((each) => each.volumeMounts)
    expect(mounted.filter(({ name }) => !volumes.includes(name))).toEqual([])
  })

  it('lets nobody in but to metrics and API, and nobody at all where nobody is named', () => {
    const policies = ofKind('NetworkPolicy')
    expect(policies.map(({ spec }) => spec.ingress.length)).toEqual([1, 1])
    expect(policies.every(({ spec }) => spec.policyTypes.includes('Ingress'))).toBe(true)
    const closed = render({ networkPolicy: { apiFrom: [], metricsFrom: [], alsoTo: [] } })
    const rules = closed.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => spec.ingress)
    expect(rules).toEqual([null, null])
  })

  it('mounts the roots of TPM vendors where they are given', () => {
    const mounts = (from: readonly Resource[]) =>
      from
        .filter(({ kind }) => kind === 'StatefulSet')
        .map(({ spec }) => spec.template.spec.containers[0]?.volumeMounts.some(({ name }) => name === 'ek-roots'))
    expect(mounts(resources)).toEqual([false, false, false, false])
    expect(mounts(render({ ekRootsConfigMap: 'roots' }))).toEqual([true, true, true, true])
  })

  it('selects by labels that its pods have', () => {
    for (const { spec } of sets) {
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels)
    }
  })

  it.each([['{{ .Values.image }}'], ['{{ $.Values.nothing }}'], ['{{ if $.Values.image }}'], ['{{ end }}']])(
    'is rendered by a reader that refuses %s',
    (source) => {
      expect(() => renderTemplate(source, { Values: values })).toThrow(/^template:/)
    },
  )
})
