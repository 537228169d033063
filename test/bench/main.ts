import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { table } from '../../shared/cli/table.ts'
import { thisMachine } from './machine.ts'
import { PARTS, type PartName } from './parts.ts'

const names = Object.keys(PARTS) as PartName[]

/**
 * Measures the parts that are named, or those that belong to every run, prints them, and writes them into
 * docs/bench/latest.json. Parts that were not measured stay as they are there, each with its own date and load.
 */
export async function bench(repository: string, wanted: readonly string[], say: (line: string) => void): Promise<void> {
  const unknown = wanted.filter((name) => !names.includes(name as PartName))
  if (unknown.length > 0) throw new RangeError(`no part ${unknown.join(', ')}; there are ${names.join(', ')}`)
  const chosen = wanted.length > 0 ? (wanted as readonly PartName[]) : names.filter((name) => PARTS[name].isUsual)

  const path = join(repository, 'docs', 'bench', 'latest.json')
  const results = readResults(path)
  const rows: (readonly string[])[] = []
  for (const name of chosen) {
    const machine = thisMachine()
    say(`${name}: ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load.toFixed(1)}`)
    // After each part: a long one that fails does not take the others with it.
    const save = (result: object): void => {
      results[name] = { machine, ...result }
      mkdirSync(join(repository, 'docs', 'bench'), { recursive: true })
      writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`)
    }
    const { result, rows: partRows } = await PARTS[name].measure(repository, say, save)
    save(result)
    rows.push(...partRows)
  }
  const columns = [{ title: 'WHAT' }, { title: 'MEASURED' }, { title: 'GOAL' }]
  say(table(columns, rows, { width: 120, style: (_, text) => text }))
  say('Written to docs/bench/latest.json')
}

/** What was measured before, of parts that there still are. */
function readResults(path: string): Record<string, object> {
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Record<string, object>
    return Object.fromEntries(Object.entries(read).filter(([name]) => names.includes(name as PartName)))
  } catch {
    return {}
  }
}
