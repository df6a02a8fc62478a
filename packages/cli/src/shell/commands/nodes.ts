import { decode } from '@swell/shared/protocol/codec.ts';
import { presenceSchema } from '@swell/shared/protocol/reports.ts';
import { ALL_NODES, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { drawNodes, linesOfNode } from '../../core/nodes.ts';
import { row } from '../../core/rows.ts';
import { EXIT } from '../../core/status.ts';
import { atMost, type Command, serviceOf } from '../command.ts';

export const nodes: Command = {
  name: 'nodes',
  usage: '[<service>]',
  about: 'Shows who is there, what runs, and why a node is not ready',
  options: {},
  async run({ args, connect, print }) {
    const [name] = atMost(1, args);
    const service = name === undefined ? undefined : serviceOf(name);
    const bus = await connect();
    const messages = await bus.readLastOfEach(STREAMS.nodes, [ALL_NODES]);
    const found = messages
      .filter(({ deleted }) => !deleted)
      .flatMap(({ body }) => {
        const presence = decode(body, presenceSchema);
        return presence.ok ? linesOfNode(presence.value, service) : [];
      })
      .toSorted((a, b) => (`${a.region}.${a.node}` < `${b.region}.${b.node}` ? -1 : 1));
    const nobody = row(service === undefined ? 'no node is there' : `no node that is there runs ${service}`);
    print({ nodes: found }, found.length === 0 ? [nobody] : drawNodes(found));
    return EXIT.done;
  },
};
