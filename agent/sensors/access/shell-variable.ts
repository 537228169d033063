/** What a file of /etc/default assigns to a variable last; undefined if nothing does. No shell, so nothing is expanded. */
export function shellVariable(text: string, name: string): string | undefined {
  let value: string | undefined
  for (const line of text.split('\n')) {
    const assignment = line.trim().replace(/^export\s+/, '')
    if (!assignment.startsWith(`${name}=`)) continue
    const [, double, single, plain] = /^(?:"([^"]*)"|'([^']*)'|(.*))/.exec(assignment.slice(name.length + 1)) ?? []
    value = double ?? single ?? plain?.replace(/\s#.*$/, '').trim()
  }
  return value
}
