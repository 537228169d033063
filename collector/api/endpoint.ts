import { toJsonSchema } from '@valibot/to-json-schema'
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import { KeepsealError } from '../../shared/errors.ts'
import type { Actor, ApiRole } from '../model/product.ts'
import { actorOf, authenticate } from './authentication.ts'
import { Html } from './html.ts'
import { servicesFor } from './vendor-scope.ts'
import { nothing } from './schemas.ts'
import type { ApiServices } from './services.ts'

type Schema = v.GenericSchema
/**
 * What it is for somebody who is bound to a vendor: `own`: the same for what is his, and nothing else exists; `common`:
 * it tells nothing of anybody's products; `unbound`: not for him.
 */
export type EndpointScope = 'own' | 'common' | 'unbound'
type Method = 'GET' | 'POST' | 'PUT'

export interface EndpointInput<P extends Schema, Q extends Schema, B extends Schema> {
  readonly params: v.InferOutput<P>
  readonly query: v.InferOutput<Q>
  readonly body: v.InferOutput<B>
  readonly actor: Actor
}

/** One route: its schemas check what comes in, make the types of its handler and the OpenAPI document. */
export interface EndpointDefinition<P extends Schema, Q extends Schema, B extends Schema, R extends Schema> {
  readonly method: Method
  /** Below /api/v1. */
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly roles: readonly ApiRole[]
  readonly scope: EndpointScope
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** Of a body that may be larger than those of other routes. */
  readonly bodyBytes?: number
  readonly status?: 200 | 201
  readonly response: R
  readonly run: (services: ApiServices, input: EndpointInput<P, Q, B>) => Promise<v.InferOutput<R>>
}

export interface Endpoint {
  readonly method: Method
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly roles: readonly ApiRole[]
  readonly scope: EndpointScope
  readonly status: 200 | 201
  readonly bodyBytes?: number | undefined
  readonly schemas: {
    readonly params: Schema
    readonly query: Schema
    readonly body: Schema
    readonly response: Schema
  }
  readonly run: (services: ApiServices, request: RawRequest) => Promise<unknown>
}

interface RawRequest {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly actor: Actor
}

type Nothing = typeof nothing

export function defineEndpoint<
  R extends Schema,
  P extends Schema = Nothing,
  Q extends Schema = Nothing,
  B extends Schema = Nothing,
>(definition: EndpointDefinition<P, Q, B, R>): Endpoint {
  const { method, path, operationId, summary, roles, scope, status = 200, response, run } = definition
  const params: Schema = definition.params ?? nothing
  const query: Schema = definition.query ?? nothing
  const body: Schema = definition.body ?? nothing
  return {
    method,
    path,
    operationId,
    summary,
    roles,
    scope,
    status,
    bodyBytes: definition.bodyBytes,
    schemas: { params, query, body, response },
    run: (services, raw) =>
      run(services, {
        params: checked(params, raw.params, 'path') as v.InferOutput<P>,
        query: checked(query, raw.query, 'query') as v.InferOutput<Q>,
        body: checked(body, raw.body ?? {}, 'body') as v.InferOutput<B>,
        actor: raw.actor,
      }),
  }
}

/** Throws KeepsealError `request.invalid`, which names every field that is not as documented. */
export function checked<S extends Schema>(schema: S, value: unknown, part: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const fields = result.issues.map((issue) => `${part} ${v.getDotPath(issue) ?? ''}: ${issue.message}`)
  throw new KeepsealError('request.invalid', fields.slice(0, 16).join('; '))
}

/** Registers a route with its authentication; the server's own validation stands aside for the schemas here. */
export function registerEndpoint(server: FastifyInstance, services: ApiServices, endpoint: Endpoint): void {
  const admit = authenticate(services, endpoint.roles)
  server.route({
    method: endpoint.method,
    url: endpoint.path,
    ...(endpoint.bodyBytes === undefined ? {} : { bodyLimit: endpoint.bodyBytes }),
    schema: documentation(endpoint),
    validatorCompiler: () => () => true,
    serializerCompiler: () => (answer) => JSON.stringify(answer),
    // Before the body is read: a stranger's is not worth reading. After onRequest, where his requests are counted.
    preParsing: async (request, reply, payload) => {
      await admit(request, reply)
      return payload
    },
    handler: async (request, reply) => {
      const { params, query, body } = request
      const actor = actorOf(request)
      const granted = await servicesFor(services, actor.scope, endpoint.scope, { params, query, body })
      const answer = await endpoint.run(granted, { params, query, body, actor })
      if (answer instanceof Uint8Array) return reply.type('application/cbor').send(Buffer.from(answer))
      if (answer instanceof Html) return reply.type('text/html; charset=utf-8').send(answer.toString())
      return reply.code(endpoint.status).send(answer)
    },
  })
}

/** A body that is CBOR, given out as it was received. */
export const CborBytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array)

/** A page for people, with its escaping done. */
export const HtmlPage = v.custom<Html>((value) => value instanceof Html)

const SCOPES: Readonly<Record<EndpointScope, string>> = {
  own: ' A caller who is bound to a vendor finds what is of that vendor, and nothing else.',
  common: '',
  unbound: ' Refused to callers who are bound to a vendor.',
}

function documentation({ operationId, summary, roles, scope, status, schemas }: Endpoint): Record<string, unknown> {
  const { params, query, body, response } = schemas
  const binary = { schema: { type: 'string', format: 'binary' } }
  const answer =
    response === CborBytes
      ? { description: 'CBOR', content: { 'application/cbor': binary } }
      : response === HtmlPage
        ? { description: 'A page', content: { 'text/html': { schema: { type: 'string' } } } }
        : { description: 'Done', content: { 'application/json': { schema: jsonSchema(response, 'output') } } }
  return {
    operationId,
    summary,
    description: `For the roles ${roles.join(', ')}.${SCOPES[scope]}`,
    security: [{ token: [] }, { session: [] }],
    ...(params === nothing ? {} : { params: jsonSchema(params, 'input') }),
    ...(query === nothing ? {} : { querystring: jsonSchema(query, 'output') }),
    ...(body === nothing ? {} : { body: jsonSchema(body, 'input') }),
    response: { [status]: answer, default: problemAnswer },
  }
}

function jsonSchema(schema: Schema, typeMode: 'input' | 'output'): Record<string, unknown> {
  // `ignore`: checks that JSON Schema cannot say (a date that exists) are still made.
  const { $schema: _, ...content } = toJsonSchema(schema, { typeMode, target: 'draft-2020-12', errorMode: 'ignore' })
  return content
}

const problemAnswer = {
  description: 'Problem details (RFC 9457); type is one of the documented codes',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail', 'remedy'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          remedy: { type: 'string', description: 'What to do next' },
        },
      },
    },
  },
}
