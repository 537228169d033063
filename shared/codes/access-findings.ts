import { APPROVE, type FindingEntry } from './finding-entry.ts'

/** Who gets in: the firewall, accounts, remote logins, privileges. Part of ./findings.ts. */
export const accessFindings = {
  'firewall.off': {
    axis: 'posture',
    severity: 'critical',
    trigger: 'T3',
    title: 'nothing filters what comes in, of one or both families of addresses',
    remedy:
      'Load the rules again on the gateway (systemctl restart nftables, or ufw, firewalld, fw4) and look who removed ' +
      'them; or accept it: keepseal device approve UEID',
  },
  'firewall.policy-weakened': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'packets that no rule decides on are accepted, which were dropped when the state was approved',
    remedy: 'Set the policy of the chain to drop again on the gateway, or accept it: keepseal device approve UEID',
  },
  'firewall.rules-changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T3',
    title: 'the firewall rules in force are not the approved ones',
    remedy: APPROVE,
  },
  'firewall.configuration-changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T3',
    title: 'the configuration of the firewall is not the approved one, while its rules in force are',
    remedy: 'It takes effect with the next start: undo it on the gateway, or accept it: keepseal device approve UEID',
  },
  'firewall.not-readable': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T14',
    title: 'the firewall rules in force can no longer be read',
    remedy: 'Look whether keepseal-measure runs on the gateway: keepseal-agent once --print --json shows the reason.',
  },
  'access.superuser-added': {
    axis: 'posture',
    severity: 'critical',
    trigger: 'T3',
    title: 'an account with user number 0 that was not approved',
    remedy: 'Remove the account on the gateway, find out who made it, and examine the gateway.',
  },
  'access.password-less-account': {
    axis: 'posture',
    severity: 'critical',
    trigger: 'T3',
    title: 'an account needs no password',
    remedy: 'Lock it (passwd -l NAME) or give it a password on the gateway; or accept it: keepseal device approve UEID',
  },
  'access.ssh-password-login': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'a password is enough to log in over SSH',
    remedy:
      'Set PasswordAuthentication no and KbdInteractiveAuthentication no (dropbear: -s, or PasswordAuth off) on the ' +
      'gateway, or accept it: keepseal device approve UEID',
  },
  'access.ssh-root-password-login': {
    axis: 'posture',
    severity: 'critical',
    trigger: 'T3',
    title: 'root may log in over SSH, and a password is enough',
    remedy:
      'Set PermitRootLogin no or prohibit-password (dropbear: -g, or RootPasswordAuth off) on the gateway, or accept ' +
      'it: keepseal device approve UEID',
  },
  'access.ssh-empty-passwords': {
    axis: 'posture',
    severity: 'critical',
    trigger: 'T3',
    title: 'the SSH server accepts empty passwords',
    remedy:
      'Set PermitEmptyPasswords no (dropbear: without -B) on the gateway, or accept it: keepseal device approve UEID',
  },
  'access.ssh-setting-changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T3',
    title: 'a setting of the SSH server is not the approved one',
    remedy: APPROVE,
  },
  'access.account-added': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'an account that can be used, and was not approved',
    remedy: APPROVE,
  },
  'access.account-removed': {
    axis: 'posture',
    severity: 'low',
    trigger: 'T3',
    title: 'an approved account is gone or can no longer be used',
    remedy: APPROVE,
  },
  'access.account-changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T3',
    title: 'an account, or where accounts come from, is not as approved',
    remedy: APPROVE,
  },
  'access.weak-password-hash': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'the password of an account is kept with a hash that is quickly broken',
    remedy: 'Choose yescrypt or sha512 (ENCRYPT_METHOD in /etc/login.defs, pam_unix) and set the password anew.',
  },
  'access.authorized-keys-changed': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'the SSH keys that open an account are not the approved ones',
    remedy: APPROVE,
  },
  'access.group-changed': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'who is in a group that makes superuser, or nearly, is not as approved',
    remedy: APPROVE,
  },
  'access.sudo-without-password': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'which commands sudo or doas runs as superuser without asking for a password is not as approved',
    remedy: APPROVE,
  },
  'access.sudo-rules-changed': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'the rules of sudo or doas are not the approved ones',
    remedy: APPROVE,
  },
  'access.pam-changed': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'how a service authenticates people (PAM) is not as approved',
    remedy: APPROVE,
  },
  'access.not-readable': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T14',
    title: 'a part of who may log in can no longer be read',
    remedy: 'Look whether keepseal-measure runs on the gateway: keepseal-agent once --print --json shows the reason.',
  },
} as const satisfies Record<string, FindingEntry>
