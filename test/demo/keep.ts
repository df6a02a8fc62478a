/** What somebody may try while the fleet is left running. */

import { type Fleet, SERVICE } from '../fleet/fleet.ts';
import { toolPath } from '../support/tools.ts';
import type { Row } from './frame.ts';

/** Images that are in the registry for whoever plays. */
export const SPARES = { v4: 'well', v5: 'sick', v6: 'well' } as const;

export function playground(fleet: Fleet): readonly Row[] {
  const [node] = fleet.nodes;
  const image = (tag: string): string => `"image":"${fleet.repository}:${tag}"`;
  const control = (word: string): string => `nats pub -J swell.control.${SERVICE} '{"action":"${word}"}'`;
  const release = (body: string): string => `nats pub -J swell.release.${SERVICE} '{${body}}'`;
  const commands: readonly (readonly [string, readonly string[]])[] = [
    ['In another terminal, first', [`alias nats=${toolPath('nats')}`, `export NATS_URL=${fleet.server.url}`]],
    ['Release: v4 is good, v5 is sick', [release(image('v4')), release(image('v5'))]],
    [
      'Stage by stage, each on your word; or stop it',
      [
        release(`${image('v6')},"policy":{"approval":"manual"}`),
        ...['approve', 'pause', 'resume', 'halt', 'abort'].map(control),
      ],
    ],
    ['Everything that happens, as it happens', ["nats sub 'swell.>' --headers-only"]],
    ['The log from its beginning', ['nats stream view SWELL_LOG']],
    [
      'What stands in the buckets',
      [
        `nats kv get --raw swell_nodes ${node?.region}.${node?.name}`,
        `nats kv get --raw swell_orders wave.${node?.region}.${SERVICE}`,
        `nats kv get --raw swell_policies ${SERVICE}`,
        'nats kv watch swell_slots',
        'nats kv watch swell_rollouts',
      ],
    ],
    ...(node?.port === undefined
      ? []
      : [[`The service on ${node.name}`, [`curl http://127.0.0.1:${node.port}/`]] as const]),
  ];
  return [
    [],
    [{ text: 'It stays as it is until Ctrl-C, and shows what you do.', tone: 'strong' }],
    ...commands.flatMap(([what, lines]): readonly Row[] => [
      [{ text: `# ${what}`, tone: 'quiet' }],
      ...lines.map((text): Row => [{ text: `  ${text}`, tone: 'plain' }]),
    ]),
    [{ text: `# Logs of all programs: ${fleet.directory}`, tone: 'quiet' }],
    [],
  ];
}
