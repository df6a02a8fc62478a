/** Containers as Compose v2 makes them: one service each, of one project. */

import type { ComposeConfiguration } from './configuration.ts';

export const madeByCompose: readonly ComposeConfiguration[] = [
  { name: 'nothing but its image' },

  // What the image gives, and somebody gives otherwise
  { name: 'variables', service: () => ({ environment: { MODE: 'mine', TOKEN: 'a=b', EMPTY: '' } }) },
  { name: 'a variable that is taken away', service: () => ({ environment: { ONLY_OLD: null } }) },
  { name: 'a variable as the old image has it', service: () => ({ environment: { MODE: 'plain' } }) },
  { name: 'variables from a file', service: ({ folder }) => ({ env_file: `${folder}/env` }) },
  { name: 'labels', service: () => ({ labels: { made: 'mine', own: '1' } }) },
  { name: 'a command', service: () => ({ command: ['sleep', '601'] }) },
  { name: 'an entrypoint without a command', service: () => ({ entrypoint: ['/bin/forever'] }) },
  {
    name: 'an entrypoint with a command',
    service: () => ({ entrypoint: '/bin/forever', command: 'and ever' }),
  },
  {
    name: 'an emptied entrypoint',
    service: () => ({ entrypoint: [], command: ['/bin/busybox', 'sleep', '601'] }),
  },
  {
    name: 'a user, a folder, a signal, a time to stop',
    service: () => ({
      user: '1000:1000',
      working_dir: '/tmp/here',
      stop_signal: 'SIGUSR1',
      stop_grace_period: '3s',
    }),
  },
  {
    name: 'a health check',
    service: () => ({
      healthcheck: { test: ['CMD', '/bin/busybox', 'test', '-e', '/'], interval: '59m', retries: 5 },
    }),
  },
  { name: 'no health check', service: () => ({ healthcheck: { disable: true } }) },

  // The container
  {
    name: 'names, a terminal, an init process',
    service: ({ name }) => ({
      container_name: `${name}-named`,
      hostname: 'web-1',
      domainname: 'example.test',
      tty: true,
      stdin_open: true,
      init: true,
    }),
  },
  { name: 'a read-only root', service: () => ({ read_only: true, tmpfs: ['/run', '/tmp:size=1m'] }) },
  {
    name: 'limits of a deployment',
    service: () => ({
      deploy: {
        resources: { limits: { cpus: '0.5', memory: '64M', pids: 50 }, reservations: { memory: '32M' } },
        restart_policy: { condition: 'on-failure', max_attempts: 3 },
      },
    }),
  },
  {
    name: 'limits of its own',
    service: () => ({
      mem_limit: '64m',
      memswap_limit: '128m',
      cpu_shares: 512,
      cpuset: '0',
      pids_limit: 60,
      shm_size: '1m',
      oom_score_adj: 10,
      ulimits: { nofile: { soft: 500, hard: 1_000 }, core: 0 },
      sysctls: { 'net.ipv4.ip_unprivileged_port_start': 0 },
    }),
  },
  {
    name: 'rights and devices',
    service: () => ({
      cap_add: ['NET_ADMIN'],
      cap_drop: ['MKNOD'],
      security_opt: ['no-new-privileges:true', 'seccomp=unconfined'],
      devices: ['/dev/null:/dev/nothing:r'],
      device_cgroup_rules: ['c 1:3 mr'],
      group_add: ['50'],
    }),
  },
  {
    name: 'namespaces of the host',
    service: () => ({ pid: 'host', ipc: 'host', userns_mode: 'host', cgroup: 'host', uts: 'host' }),
  },
  {
    name: 'a log with limits',
    service: () => ({ logging: { driver: 'json-file', options: { 'max-size': '1m' } } }),
  },
  { name: 'restarts always', service: () => ({ restart: 'always' }) },
  { name: 'restarts unless stopped', service: () => ({ restart: 'unless-stopped' }) },
  { name: 'restarts on failure, five times', service: () => ({ restart: 'on-failure:5' }) },
  { name: 'another service that it needs', service: () => ({ depends_on: ['lender'] }) },

  // Ports and networks
  {
    name: 'published ports',
    service: ({ port }) => ({
      ports: [
        `127.0.0.1:${port}:8080`,
        `${port}:53/udp`,
        { target: 81, published: `${port + 1}`, mode: 'host' },
      ],
      expose: ['7000'],
    }),
  },
  {
    name: 'a port that Docker chooses',
    service: ({ port }) => ({ ports: ['8080', `${port}-${port + 9}:9090`] }),
    special: 'Docker chooses again, out of the same range where there is one',
  },
  {
    name: 'several networks, with aliases and static addresses',
    service: ({ address, number }) => ({
      networks: {
        default: null,
        front: { aliases: ['www'], ipv4_address: address('front', number + 150), priority: 100 },
        six: { ipv6_address: address('six', number + 1_000) },
        back: { link_local_ips: ['169.254.7.8'], driver_opts: { 'com.example.a': '1' } },
      },
    }),
  },
  {
    name: 'several networks, each with a MAC address',
    service: ({ number }) => ({
      networks: {
        front: { mac_address: `02:42:0a:d5:03:${(number + 16).toString(16)}` },
        back: { mac_address: `02:42:0a:d5:04:${(number + 16).toString(16)}` },
      },
    }),
    since: '1.44',
  },
  { name: 'the host’s network', service: () => ({ network_mode: 'host' }) },
  { name: 'no network', service: () => ({ network_mode: 'none' }) },
  { name: 'the default bridge', service: () => ({ network_mode: 'bridge' }) },
  {
    name: 'another service’s network, processes and IPC',
    service: () => ({ network_mode: 'service:lender', pid: 'service:lender', ipc: 'service:lender' }),
  },
  {
    name: 'links, within the project and out of it',
    service: ({ neighbour }) => ({
      networks: ['default', 'front'],
      links: ['lender:database'],
      external_links: [`${neighbour}:cache`],
    }),
  },
  {
    name: 'name servers and further hosts',
    service: () => ({
      dns: ['10.0.0.53'],
      dns_search: ['example.test'],
      dns_opt: ['ndots:2'],
      extra_hosts: ['db:10.0.0.9', 'me:host-gateway'],
    }),
  },

  // Volumes and files
  {
    name: 'volumes',
    service: ({ folder }) => ({
      volumes: [
        'store:/store',
        'store:/read:ro',
        '/own',
        `${folder}:/hosted:ro`,
        { type: 'volume', target: '/asked' },
        { type: 'volume', source: 'store', target: '/www', volume: { nocopy: true } },
        { type: 'bind', source: `${folder}/text`, target: '/text', bind: { propagation: 'private' } },
        { type: 'tmpfs', target: '/scratch', tmpfs: { size: 1_048_576, mode: 0o700 } },
      ],
    }),
    special: 'anonymous volumes are carried by the name that Docker gave them, as Compose does it itself',
  },
  { name: 'a named volume where the image has one', service: () => ({ volumes: ['store:/data'] }) },
  { name: 'another service’s volumes', service: () => ({ volumes_from: ['lender:ro'] }) },
  {
    name: 'configs and secrets from files',
    service: () => ({ configs: ['filed'], secrets: [{ source: 'filed', target: 'renamed' }] }),
  },
  {
    name: 'configs with content, also over a file of the image',
    service: () => ({
      configs: [
        'inline',
        { source: 'inline', target: '/etc/deep/er/app.conf', mode: 0o640, uid: '7', gid: '8' },
        { source: 'variable', target: '/www/index.html' },
      ],
    }),
    written: {
      '/inline': 'of its own\n',
      '/etc/deep/er/app.conf': 'of its own\n',
      '/www/index.html': 'secret',
    },
    special:
      'Compose writes them into the container itself: they are copied, with mode and owner, and compared',
  },
  {
    name: 'secrets from the environment',
    service: () => ({
      secrets: ['token', { source: 'token', target: '/etc/token', mode: 0o400, uid: '1000', gid: '1000' }],
    }),
    written: { '/run/secrets/token': 'secret', '/etc/token': 'secret' },
    special: 'as with configs',
  },
  {
    name: 'a configuration with content for a user of its own',
    service: () => ({ user: '1000:1000', configs: [{ source: 'inline', target: '/mine', mode: 0o400 }] }),
    written: { '/mine': 'of its own\n' },
    special: 'as with configs',
  },
];
