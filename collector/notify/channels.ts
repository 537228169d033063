import { hostname } from 'node:os'
import { KeepsealError } from '../../shared/errors.ts'
import type { CollectorConfig } from '../config/options.ts'
import { readSecretFile } from '../trust/key-files.ts'
import type { Channel } from './channel.ts'
import { mailChannel } from './mail.ts'
import { syslogChannel } from './syslog.ts'
import { webhookChannel } from './webhook.ts'

/** The line of a secret file, without the line end that editors add. Errors: `state.*`, `config.invalid-value`. */
async function secretLine(path: string): Promise<Uint8Array> {
  const content = await readSecretFile(path)
  const line = content.subarray(0, content.at(-1) === 0x0a ? content.length - 1 : content.length)
  if (line.length === 0) throw new KeepsealError('config.invalid-value', `${path} is empty`)
  return new Uint8Array(line)
}

/** Every way that the configuration names. */
export async function channelsOf(
  { webhook, mail, syslog }: CollectorConfig,
  { clock, version }: { readonly clock: () => number; readonly version: string },
): Promise<readonly Channel[]> {
  const channels: Channel[] = []
  if (webhook.url !== '') {
    const { url, minimumSeverity, groupSeconds, secretFile } = webhook
    const secret = await secretLine(secretFile)
    channels.push(webhookChannel({ url, secret, minimumSeverity, groupMs: groupSeconds * 1000, clock }))
  }
  if (mail.url !== '') {
    const { url, user, from, to, minimumSeverity, groupSeconds, passwordFile } = mail
    const password = passwordFile === '' ? '' : Buffer.from(await secretLine(passwordFile)).toString('utf8')
    channels.push(mailChannel({ url, user, password, from, to, minimumSeverity, groupMs: groupSeconds * 1000 }))
  }
  if (syslog.url !== '') {
    const { url, format, minimumSeverity } = syslog
    channels.push(syslogChannel({ url, format, minimumSeverity, hostname: hostname(), version }))
  }
  return channels
}
