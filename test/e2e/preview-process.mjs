// The preview as `npm run preview` starts it, in a folder of its own: node preview-process.mjs REPOSITORY HOME
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [repository, home] = process.argv.slice(2)
const { preview } = await import(pathToFileURL(join(repository, 'dist', 'deploy', 'preview', 'main.js')).href)
await preview(repository, (line) => process.stdout.write(`${line}\n`), home)
