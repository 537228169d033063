import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defineCommand } from '../../../shared/cli/command.ts'
import { configOptions } from '../../../shared/cli/config-report.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { printable } from '../../../shared/text/printable.ts'
import { loadCollectorConfig } from '../../config/load.ts'
import { storeLocation } from '../../config/store-location.ts'
import { backup, restore } from '../../store/backup/index.ts'
import { migrateStore } from '../../store/index.ts'

export const migrateCommand = defineCommand({
  name: 'migrate',
  summary: 'Bring the database schema up to date',
  description: [
    'Goes forward alone, each step whole or not at all, and refuses a database of a newer version. serve does it too.',
  ],
  options: { ...configOptions, 'dry-run': { description: 'Say what would be done, and change nothing' } },
  json: true,
  async run({ options, present }) {
    const { values: config } = loadCollectorConfig(options, process.env)
    const { dryRun } = options
    const steps = await migrateStore(await storeLocation(config), { dryRun })
    present({ steps, applied: !dryRun }, () => {
      if (steps.length === 0) return 'The database schema is up to date.'
      return [...steps, dryRun ? 'Nothing was changed.' : 'The database schema is up to date.'].join('\n')
    })
    return exitCodes.good
  },
})

export const backupCommand = defineCommand({
  name: 'backup',
  summary: 'Write the database into a file, while the collector runs',
  description: [
    'The file is new, and readable by its owner alone. It does not hold the keys of the collector, without which no ' +
      'device knows it: keep a copy of the directory keys in data.directory apart from it.',
    'A database of PostgreSQL is written by pg_dump.',
  ],
  examples: ['keepseal-collector backup /var/backups/keepseal-2026-11-26'],
  options: configOptions,
  arguments: { file: { description: 'Where to write it' } },
  json: true,
  async run({ options, arguments: { file }, present }) {
    const { values: config } = loadCollectorConfig(options, process.env)
    const path = resolve(file)
    await backup(await storeLocation(config), path)
    const { size } = await stat(path)
    present({ file: path, bytes: size }, () => `${printable(path)}: ${size} bytes`)
    return exitCodes.good
  },
})

export const restoreCommand = defineCommand({
  name: 'restore',
  summary: 'Put a backup in the place of a database that is not there',
  description: [
    'Refuses while a collector uses the database, and where there is a database already. What was decided after the ' +
      'backup is lost; that it was restored is written into it and into the audit log.',
  ],
  examples: ['keepseal-collector restore /var/backups/keepseal-2026-11-26'],
  options: configOptions,
  arguments: { file: { description: 'What keepseal-collector backup has written' } },
  json: true,
  async run({ options, arguments: { file }, present }) {
    const { values: config } = loadCollectorConfig(options, process.env)
    const { restoredAt, newestReceiptAt } = await restore(await storeLocation(config), resolve(file), Date.now())
    const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
    const point = { restoredAt: time(restoredAt), newestReceiptAt: time(newestReceiptAt) }
    present(point, () =>
      point.newestReceiptAt === null
        ? 'The database was restored. It knows of no receipt.'
        : `The database was restored. What was decided after ${point.newestReceiptAt} is lost.`,
    )
    return exitCodes.good
  },
})
