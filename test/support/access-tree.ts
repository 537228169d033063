import type { CommandId } from '../../agent/sensors/commands.ts'
import type { Host } from '../../agent/sensors/host.ts'
import type { Tree } from './host-tree.ts'

/** A host's commands that print what a test gives them; those that it does not name are not installed. */
export const printing =
  (outputs: Readonly<Partial<Record<CommandId, string>>>): Host['run'] =>
  async (command) => {
    const value = outputs[command]
    return value === undefined ? { status: 'absent' } : { status: 'found', value }
  }

const HASH = '$y$j9T$salt$hash'

/** A gateway to which one administrator has a key, and on which passwords open nothing over the network. */
export const GATEWAY: Tree = {
  '/usr/sbin/sshd': '',
  '/etc/ssh/sshd_config':
    'Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding no\nSubsystem sftp /usr/lib/openssh/sftp-server\n',
  '/etc/ssh/sshd_config.d/10-vendor.conf': 'PasswordAuthentication no\nPermitRootLogin no\n',
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\nadmin:x:1000:1000::/home/admin:/bin/bash\n',
  '/etc/shadow': `root:*:1:0:9:7:::\ndaemon:*:1:0:9:7:::\nadmin:${HASH}:1:0:9:7:::\n`,
  '/etc/group': 'root:x:0:\nsudo:x:27:admin\nadmin:x:1000:\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\n',
  '/etc/sudoers': 'Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n',
  '/etc/sudoers.d/README': '# nothing\n',
  '/etc/sudoers.d/sudo': '%sudo ALL=(ALL:ALL) ALL\n',
  '/etc/pam.d/common-auth': 'auth required pam_unix.so\n',
  '/etc/pam.d/sshd': '@include common-auth\n',
  '/home/admin/.ssh/authorized_keys': 'ssh-ed25519 AAAA admin@laptop\n',
}

/** The tree with text added to the end of some files. */
export function appended(tree: Tree, additions: Readonly<Record<string, string>>): Tree {
  const all = Object.entries(additions).map(([path, text]) => [
    path,
    `${(tree[path] as string | undefined) ?? ''}${text}`,
  ])
  return { ...tree, ...Object.fromEntries(all) }
}

export function edited(tree: Tree, path: string, from: string, to: string): Tree {
  const text = tree[path]
  if (typeof text !== 'string' || !text.includes(from)) throw new Error(`${path} does not hold ${from}`)
  return { ...tree, [path]: text.replace(from, to) }
}
