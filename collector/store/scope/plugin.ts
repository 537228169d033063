import {
  AliasNode,
  AndNode,
  ColumnNode,
  IdentifierNode,
  OperationNodeTransformer,
  ParensNode,
  TableNode,
  ValueNode,
  WhereNode,
  sql,
  type DeleteQueryNode,
  type FromNode,
  type InsertQueryNode,
  type JoinNode,
  type KyselyPlugin,
  type MergeQueryNode,
  type OperationNode,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type PrimitiveValueListNode,
  type QueryId,
  type QueryResult,
  type RawBuilder,
  type RawNode,
  type RootOperationNode,
  type SqlBool,
  type UnknownRow,
  type UpdateQueryNode,
  type UsingNode,
  type ValueListNode,
  type ValuesNode,
} from 'kysely'
import { KeepsealError } from '../../../shared/errors.ts'
import type { VendorScope } from '../../model/scope.ts'
import type { Executor } from '../database.ts'
import type { Database } from '../schema.ts'
import { tableScopes, type TableScope } from './tables.ts'

/**
 * Puts whoever is bound to a vendor before a database that holds nothing else: each table that a query reads becomes
 * the part of it that is his, and what is changed or removed has to be in that part. So no repository can forget it.
 */
export class VendorScopePlugin implements KyselyPlugin {
  readonly #transformer: ScopeTransformer

  /** `db`: without this plugin. */
  constructor(db: Executor, scope: VendorScope) {
    this.#transformer = new ScopeTransformer(db, scope)
  }

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(node, queryId)
  }

  transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return Promise.resolve(result)
  }
}

const refused = (scope: VendorScope, what: string): KeepsealError =>
  new KeepsealError('auth.forbidden', `bound to ${scope.vendor}: ${what}`)

/** Which rows of a table are within the scope; null: all. Error: auth.forbidden. */
function conditionOf(table: string, scope: VendorScope): RawBuilder<SqlBool> | null {
  const rule: TableScope | undefined = tableScopes[table as keyof Database]
  if (rule === undefined || rule === 'closed') throw refused(scope, table)
  if (rule === 'common') return null
  if (rule === 'products') {
    const { vendor, products } = scope
    const ofVendor = sql<SqlBool>`${sql.ref('vendor')} = ${vendor}`
    if (products === null) return ofVendor
    if (products.length === 0) return sql<SqlBool>`1 = 0`
    return sql<SqlBool>`${ofVendor} and ${sql.ref('id')} in (${sql.join(products)})`
  }
  if ('vendor' in rule) return sql<SqlBool>`${sql.ref(rule.vendor)} = ${scope.vendor}`
  const ways = 'anyOf' in rule ? rule.anyOf : [rule]
  const conditions = ways.map(({ column, of, key }) => {
    const condition = conditionOf(of, scope) ?? sql<SqlBool>`1 = 1`
    return sql<SqlBool>`${sql.ref(column)} in (select ${sql.ref(key)} from ${sql.table(of)} where ${condition})`
  })
  return sql<SqlBool>`(${sql.join(conditions, sql` or `)})`
}

/** Text that could name a table: the transformer does not see into it. */
const NAMES_A_TABLE = /\b(from|join|into|update)\b/i

class ScopeTransformer extends OperationNodeTransformer {
  readonly #db: Executor
  readonly #scope: VendorScope
  /** Made here: a query within another one comes by twice. */
  readonly #own = new WeakSet<OperationNode>()

  constructor(db: Executor, scope: VendorScope) {
    super()
    this.#db = db
    this.#scope = scope
  }

  protected override transformNodeImpl<T extends OperationNode>(node: T, queryId?: QueryId): T {
    return this.#own.has(node) ? node : super.transformNodeImpl(node, queryId)
  }

  #made<T extends OperationNode>(node: T): T {
    this.#own.add(node)
    return node
  }

  protected override transformFrom(node: FromNode, queryId?: QueryId): FromNode {
    const transformed = super.transformFrom(node, queryId)
    return { ...transformed, froms: transformed.froms.map((each) => this.#scoped(each)) }
  }

  protected override transformJoin(node: JoinNode, queryId?: QueryId): JoinNode {
    const transformed = super.transformJoin(node, queryId)
    return { ...transformed, table: this.#scoped(transformed.table) }
  }

  protected override transformUsing(node: UsingNode, queryId?: QueryId): UsingNode {
    const transformed = super.transformUsing(node, queryId)
    return { ...transformed, tables: transformed.tables.map((each) => this.#scoped(each)) }
  }

  protected override transformUpdateQuery(node: UpdateQueryNode, queryId?: QueryId): UpdateQueryNode {
    const transformed = super.transformUpdateQuery(node, queryId)
    return { ...transformed, where: this.#narrowed(transformed.table, transformed.where) }
  }

  protected override transformDeleteQuery(node: DeleteQueryNode, queryId?: QueryId): DeleteQueryNode {
    // Not the part of the table, from which nothing can be removed, but the table and one more condition.
    const transformed = { ...super.transformDeleteQuery(node, queryId), from: node.from }
    return { ...transformed, where: this.#narrowed(node.from.froms[0], transformed.where) }
  }

  /** What a new row belongs to was read by whoever writes it, so it is his; a product belongs to a vendor by itself. */
  protected override transformInsertQuery(node: InsertQueryNode, queryId?: QueryId): InsertQueryNode {
    const table = node.into?.table.identifier.name ?? ''
    const condition = conditionOf(table, this.#scope)
    if (condition === null) throw refused(this.#scope, table)
    if (table === 'products') this.#assertOwnProduct(node)
    return super.transformInsertQuery(node, queryId)
  }

  protected override transformMergeQuery(_: MergeQueryNode): MergeQueryNode {
    throw refused(this.#scope, 'a merge')
  }

  protected override transformRaw(node: RawNode, queryId?: QueryId): RawNode {
    if (node.sqlFragments.some((text) => NAMES_A_TABLE.test(text))) throw refused(this.#scope, 'a statement as text')
    return super.transformRaw(node, queryId)
  }

  #scoped(node: OperationNode): OperationNode {
    if (AliasNode.is(node)) {
      return TableNode.is(node.node) ? AliasNode.create(this.#part(node.node), node.alias) : node
    }
    if (!TableNode.is(node)) return node
    return AliasNode.create(this.#part(node), IdentifierNode.create(node.table.identifier.name))
  }

  #part(node: TableNode): OperationNode {
    const name = node.table.identifier.name
    const condition = conditionOf(name, this.#scope)
    const all = this.#db.selectFrom(name as keyof Database).selectAll()
    return this.#made((condition === null ? all : all.where(condition)).toOperationNode())
  }

  #narrowed(table: OperationNode | undefined, where: WhereNode | undefined): WhereNode {
    const name = table !== undefined && TableNode.is(table) ? table.table.identifier.name : ''
    const condition = conditionOf(name, this.#scope)
    if (condition === null) throw refused(this.#scope, name)
    const own = this.#made(ParensNode.create(condition.toOperationNode()))
    return WhereNode.create(where === undefined ? own : AndNode.create(ParensNode.create(where.where), own))
  }

  #assertOwnProduct({ columns = [], values }: InsertQueryNode): void {
    if (this.#scope.products !== null) throw refused(this.#scope, 'another product')
    const index = columns.findIndex((column) => ColumnNode.is(column) && column.column.name === 'vendor')
    const rows = values?.kind === 'ValuesNode' ? (values as ValuesNode).values : []
    const isOwn = rows.length > 0 && rows.every((row) => valueAt(row, index) === this.#scope.vendor)
    if (!isOwn) throw refused(this.#scope, 'a product of another vendor')
  }
}

function valueAt(row: ValueListNode | PrimitiveValueListNode, index: number): unknown {
  if (row.kind === 'PrimitiveValueListNode') return row.values[index]
  const node = row.values[index]
  return node !== undefined && ValueNode.is(node) ? node.value : undefined
}
