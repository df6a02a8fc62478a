/** Containers as `docker run` makes them. */

import type { CliConfiguration } from './configuration.ts';

const SLEEP = ['sleep', '600'];

export const madeByCli: readonly CliConfiguration[] = [
  { name: 'nothing but its image' },

  // What the image gives, and somebody gives otherwise
  { name: 'variables', options: () => ['-e', 'MODE=mine', '-e', 'TOKEN=a=b', '-e', 'EMPTY='] },
  { name: 'a variable that is taken away', options: () => ['-e', 'ONLY_OLD'] },
  {
    name: 'a variable as the old image has it',
    options: () => ['-e', 'MODE=plain'],
    special:
      'Docker lists the variables that somebody gave before those of the image, so the wish can be told',
  },
  { name: 'variables from a file', options: ({ folder }) => ['--env-file', `${folder}/env`] },
  { name: 'labels', options: () => ['-l', 'made=mine', '-l', 'own=1', '-l', 'empty'] },
  { name: 'labels from a file', options: ({ folder }) => ['--label-file', `${folder}/labels`] },
  {
    name: 'a label as the old image has it',
    options: () => ['-l', 'made=v1'],
    untold: ['Config.Labels'],
    special: 'Docker shows the sum only: it counts as the image’s, and changes with it',
  },
  { name: 'a command', command: ['sleep', '601'] },
  {
    name: 'an entrypoint without a command',
    options: () => ['--entrypoint', '/bin/forever'],
  },
  {
    name: 'an entrypoint with a command',
    options: () => ['--entrypoint', '/bin/forever'],
    command: ['and', 'ever'],
  },
  {
    name: 'an emptied entrypoint',
    options: () => ['--entrypoint', ''],
    command: ['/bin/busybox', ...SLEEP],
  },
  {
    name: 'an entrypoint as the old image has it',
    options: () => ['--entrypoint', '/bin/busybox'],
    command: ['sleep', '601'],
    untold: ['Path', 'Config.Entrypoint'],
    special: 'as with labels: it counts as the image’s',
  },
  { name: 'a user', options: () => ['-u', '1000:1000'] },
  { name: 'root, where the image has a user', options: () => ['-u', '0'] },
  { name: 'a working directory', options: () => ['-w', '/tmp/here'] },
  { name: 'a signal and a time to stop', options: () => ['--stop-signal', 'SIGUSR1', '--stop-timeout', '3'] },
  {
    name: 'a health check',
    options: () => [
      '--health-cmd',
      '/bin/busybox true',
      '--health-interval',
      '59m',
      '--health-timeout',
      '7s',
    ],
  },
  { name: 'one field of a health check', options: () => ['--health-retries', '7'] },
  {
    name: 'the start of a health check',
    options: () => ['--health-start-period', '5s', '--health-start-interval', '2s'],
    since: '1.44',
  },
  { name: 'no health check', options: () => ['--no-healthcheck'] },
  { name: 'exposed ports', options: () => ['--expose', '7000-7002', '--expose', '53/udp'] },

  // Names, terminals, processes
  {
    name: 'a host name and a domain',
    options: () => ['--hostname', 'web-1', '--domainname', 'example.test'],
  },
  { name: 'a terminal and an open input', options: () => ['-i', '-t'] },
  { name: 'an init process', options: () => ['--init'] },
  { name: 'a read-only root', options: () => ['--read-only', '--tmpfs', '/run'] },
  {
    name: 'a file for its id',
    options: ({ folder, name }) => ['--cidfile', `${folder}/${name}.id`],
    special: 'the path is kept; in the file stands the id of the first container',
  },
  { name: 'annotations', options: () => ['--annotation', 'com.example=1'], since: '1.43' },

  // Limits
  { name: 'a limit of memory', options: () => ['-m', '64m'] },
  {
    name: 'limits of memory and swap',
    options: () => ['-m', '64m', '--memory-swap', '128m', '--memory-reservation', '32m'],
  },
  { name: 'a share of processors', options: () => ['--cpus', '0.5'] },
  {
    name: 'shares, quota and set of processors',
    options: () => [
      '--cpu-shares',
      '512',
      '--cpu-period',
      '50000',
      '--cpu-quota',
      '25000',
      '--cpuset-cpus',
      '0',
    ],
  },
  { name: 'a limit of processes', options: () => ['--pids-limit', '50'] },
  { name: 'limits of users', options: () => ['--ulimit', 'nofile=500:1000', '--ulimit', 'core=0'] },
  { name: 'a place in the killer’s queue', options: () => ['--oom-score-adj', '10'] },
  { name: 'shared memory', options: () => ['--shm-size', '1m'] },
  { name: 'a control group', options: () => ['--cgroup-parent', '/swell-test'] },
  { name: 'a runtime', options: () => ['--runtime', 'runc'] },

  // Rights
  {
    name: 'capabilities',
    options: () => ['--cap-add', 'NET_ADMIN', '--cap-add', 'sys_time', '--cap-drop', 'MKNOD'],
  },
  { name: 'all capabilities taken away', options: () => ['--cap-drop', 'ALL'] },
  // An older runc cannot give what a virtual machine does not have itself.
  { name: 'every right', options: () => ['--privileged'], since: '1.44' },
  { name: 'no new rights', options: () => ['--security-opt', 'no-new-privileges'] },
  {
    name: 'no seccomp and no AppArmor',
    options: () => ['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
  },
  {
    name: 'a seccomp profile',
    options: ({ folder }) => ['--security-opt', `seccomp=${folder}/seccomp.json`],
  },
  { name: 'the whole of /proc', options: () => ['--security-opt', 'systempaths=unconfined'] },
  { name: 'sysctls', options: () => ['--sysctl', 'net.ipv4.ip_unprivileged_port_start=0'] },
  {
    name: 'devices',
    options: () => ['--device', '/dev/null:/dev/nothing:r', '--device-cgroup-rule', 'c 1:3 mr'],
  },
  { name: 'further groups', options: () => ['--group-add', '50', '--group-add', '51'] },

  // Namespaces
  { name: 'the host’s processes and its IPC', options: () => ['--pid', 'host', '--ipc', 'host'] },
  { name: 'IPC to share', options: () => ['--ipc', 'shareable'] },
  { name: 'no IPC', options: () => ['--ipc', 'none'] },
  { name: 'the host’s name', options: () => ['--uts', 'host'] },
  { name: 'the host’s users', options: () => ['--userns', 'host'] },
  { name: 'the host’s control groups', options: () => ['--cgroupns', 'host'] },
  {
    name: 'another container’s network',
    options: ({ neighbour }) => ['--network', `container:${neighbour}`],
  },
  {
    name: 'another container’s processes and its IPC',
    options: ({ neighbour }) => ['--pid', `container:${neighbour}`, '--ipc', `container:${neighbour}`],
  },

  // Logs, restarts
  {
    name: 'a log with limits',
    options: () => ['--log-driver', 'json-file', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=2'],
  },
  { name: 'another log', options: () => ['--log-driver', 'local'] },
  { name: 'no log', options: () => ['--log-driver', 'none'] },
  { name: 'restarts always', options: () => ['--restart', 'always'] },
  { name: 'restarts unless stopped', options: () => ['--restart', 'unless-stopped'] },
  { name: 'restarts on failure, five times', options: () => ['--restart', 'on-failure:5'] },
  {
    name: '--rm',
    options: () => ['--rm'],
    refused: 'was started with --rm',
  },

  // Ports and names of others
  {
    name: 'published ports',
    options: ({ port }) => ['-p', `127.0.0.1:${port}:8080`, '-p', `${port}:53/udp`],
  },
  {
    name: 'a port that Docker chooses',
    options: () => ['-p', '8080', '-p', '127.0.0.1::9090'],
    special: 'Docker chooses again',
  },
  {
    name: 'a range of ports',
    options: ({ port }) => ['-p', `${port}-${port + 2}:8080-8082`],
  },
  {
    name: 'a port out of a range',
    options: ({ port }) => ['-p', `${port}-${port + 9}:8080`],
    special: 'Docker chooses again, out of the same range',
  },
  { name: 'all ports published', options: () => ['-P'], special: 'Docker chooses again' },
  {
    name: 'name servers',
    options: () => ['--dns', '10.0.0.53', '--dns-search', 'example.test', '--dns-option', 'ndots:2'],
  },
  { name: 'further hosts', options: () => ['--add-host', 'db:10.0.0.9', '--add-host', 'me:host-gateway'] },

  // Networks
  { name: 'no network', options: () => ['--network', 'none'] },
  { name: 'the host’s network', options: () => ['--network', 'host'] },
  {
    name: 'the host’s network under a name of its own',
    options: () => ['--network', 'host', '--hostname', 'web-1'],
  },
  {
    name: 'the host’s network and the host’s name',
    options: () => ['--network', 'host', '--uts', 'host'],
  },
  { name: 'a network', options: ({ network }) => ['--network', network('front')] },
  { name: 'a network by its id', options: ({ networkId }) => ['--network', networkId('front')] },
  {
    name: 'aliases and a static address',
    options: ({ address, network, number }) => [
      '--network',
      network('front'),
      '--network-alias',
      'web',
      '--network-alias',
      'www',
      '--ip',
      address('front', number + 100),
    ],
  },
  {
    name: 'a static IPv6 address',
    options: ({ address, network, number }) => [
      '--network',
      network('six'),
      '--ip6',
      address('six', number + 1_000),
    ],
  },
  {
    name: 'addresses of the link',
    options: ({ network }) => ['--network', network('front'), '--link-local-ip', '169.254.7.7'],
  },
  {
    name: 'options of a network’s driver',
    options: ({ network }) => ['--network', `name=${network('front')},alias=web,driver-opt=com.example.a=1`],
  },
  {
    name: 'several networks, with aliases and static addresses',
    options: ({ address, network, number }) => [
      '--network',
      network('front'),
      '--network-alias',
      'web',
      '--ip',
      address('front', number + 100),
    ],
    connect: ({ address, network, number }) => [
      [network('back'), '--alias', 'behind', '--ip', address('back', number + 100)],
      [network('six'), '--alias', 'six'],
    ],
  },
  {
    name: 'the default bridge and another network',
    connect: ({ network }) => [[network('front'), '--alias', 'web']],
  },
  {
    name: 'several networks at once, each with a MAC address',
    options: ({ network, number }) => [
      '--network',
      `name=${network('front')},mac-address=02:42:0a:d5:01:${hex(number)}`,
      '--network',
      `name=${network('back')},alias=behind,mac-address=02:42:0a:d5:02:${hex(number)}`,
    ],
    since: '1.44',
  },
  {
    name: 'several networks, one the gateway',
    options: ({ network }) => [
      '--network',
      `name=${network('front')}`,
      '--network',
      `name=${network('back')},gw-priority=5`,
    ],
    since: '1.48',
  },
  {
    name: 'a MAC address on the default bridge',
    options: ({ number }) => ['--mac-address', `02:42:0a:d5:09:${hex(number)}`],
    since: '1.44',
  },
  {
    name: 'a MAC address on a network',
    options: ({ network, number }) => [
      '--network',
      network('front'),
      '--mac-address',
      `02:42:0a:d5:08:${hex(number)}`,
    ],
    since: '1.44',
  },
  { name: 'a link on the default bridge', options: ({ neighbour }) => ['--link', `${neighbour}:database`] },
  {
    name: 'a link on a network',
    options: ({ network, neighbour }) => ['--network', network('front'), '--link', `${neighbour}:database`],
  },

  // Volumes and files
  { name: 'a named volume', options: ({ name }) => ['-v', `${name}-store:/store`] },
  {
    name: 'named volumes, read-only and not copied to',
    options: ({ name }) => ['-v', `${name}-store:/store:ro`, '-v', `${name}-other:/www:nocopy`],
  },
  {
    name: 'an anonymous volume',
    options: () => ['-v', '/own'],
    special:
      'carried by the name that Docker gave it, with what lies in it; from then on `docker rm -v` leaves it',
  },
  {
    name: 'a named volume where the image has one',
    options: ({ name }) => ['-v', `${name}-store:/data`],
  },
  { name: 'a folder of the host', options: ({ folder }) => ['-v', `${folder}:/hosted`] },
  {
    name: 'a folder of the host, read-only, with propagation',
    options: ({ folder }) => ['-v', `${folder}:/hosted:ro,private`],
  },
  {
    name: 'a folder of the host where the image has a volume',
    options: ({ folder }) => ['-v', `${folder}:/data`],
  },
  {
    name: 'mounts of the host',
    options: ({ folder }) => [
      '--mount',
      `type=bind,src=${folder},dst=/hosted,readonly`,
      '--mount',
      `type=bind,src=${folder}/text,dst=/text,bind-propagation=private`,
    ],
  },
  {
    name: 'mounts of volumes',
    options: ({ name }) => [
      '--mount',
      `type=volume,src=${name}-store,dst=/store,readonly`,
      '--mount',
      `type=volume,src=${name}-other,dst=/other,volume-nocopy,volume-label=swell.test=x`,
    ],
  },
  {
    name: 'a mount of an anonymous volume',
    options: () => ['--mount', 'type=volume,dst=/own'],
    special: 'as with `-v`',
  },
  {
    name: 'a mount with options of the volume’s driver',
    options: ({ name }) => [
      '--mount',
      `type=volume,src=${name}-store,dst=/store,volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs`,
    ],
  },
  {
    name: 'a mount of a part of a volume',
    options: ({ name }) => ['--mount', `type=volume,src=${name}-www,dst=/part,volume-subpath=.`],
    since: '1.45',
  },
  {
    name: 'memory as a folder',
    options: () => [
      '--tmpfs',
      '/scratch:size=1m,mode=1777',
      '--mount',
      'type=tmpfs,dst=/more,tmpfs-size=1m,tmpfs-mode=0700',
    ],
  },
  {
    name: 'another container’s volumes',
    options: ({ neighbour }) => ['--volumes-from', `${neighbour}:ro`],
    special: 'the volumes are named besides, so that they stay the same when that container is made anew',
  },
  {
    name: 'a driver of volumes',
    options: () => ['--volume-driver', 'local', '-v', '/own'],
    special: 'as with `-v`',
  },
];

function hex(number: number): string {
  return number.toString(16).padStart(2, '0');
}
