import { BusError } from '@swell/shared/adapters/bus.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { isName, type NodeId, type Region } from '@swell/shared/domain/names.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { explanationSchema } from '@swell/shared/protocol/reports.ts';
import { askSubject, nodeKey, parseNodeSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { row, span } from '../../core/rows.ts';
import { EXIT } from '../../core/status.ts';
import { atMost, type Command } from '../command.ts';
import { UsageError } from '../usage.ts';

export const explain: Command = {
  name: 'explain',
  usage: '<node> | <region>.<node>',
  about: 'Asks a node why it waits',
  options: {},
  async run({ args, connect, print }) {
    const [name] = atMost(1, args);
    if (name === undefined) throw new UsageError('<node> is missing: swell nodes shows who is there');
    const [first = '', second, ...more] = name.split('.');
    if (more.length > 0 || !isName(first) || (second !== undefined && !isName(second)))
      throw new UsageError(`"${name}" is no node: write its name, or <region>.<name>`);
    const bus = await connect();
    const place = second === undefined ? await find(bus, first) : { region: first, node: second };
    const explanation = await ask(bus, place);
    const services = Object.entries(explanation.services);
    print(explanation, [
      row(`${explanation.node} (${explanation.region})`, 'strong'),
      ...services.map(([service, why]) => [span(`  ${service}: `, 'quiet'), span(why)]),
      ...(services.length === 0 ? [row('  it runs no service')] : []),
    ]);
    return EXIT.done;
  },
};

/** By its presence, since whoever asks may not know the region. */
async function find(bus: NatsBus, node: NodeId): Promise<{ readonly region: Region; readonly node: NodeId }> {
  const found = await bus.readLastOfEach(STREAMS.nodes, [nodeKey('*', node)]);
  const places = found
    .filter(({ deleted }) => !deleted)
    .flatMap(({ subject }) => parseNodeSubject(subject) ?? []);
  const [place] = places;
  if (place === undefined)
    throw new Error(`no node ${node} is there: swell nodes shows who is, and a silent node cannot be asked`);
  if (places.length === 1) return place;
  const names = places.map(({ region }) => `${region}.${node}`);
  throw new UsageError(`several nodes have that name: write ${names.join(' or ')}`);
}

async function ask(bus: NatsBus, { region, node }: { readonly region: Region; readonly node: NodeId }) {
  const answer = await bus.ask(askSubject(region, node)).catch((error: unknown) => {
    if (!(error instanceof BusError) || error.code !== 'unavailable') throw error;
    throw new Error(
      `${region}.${node} does not answer: is its agent running, and on this bus? (${error.message})`,
      {
        cause: error,
      },
    );
  });
  const read = decode(answer, explanationSchema);
  if (!read.ok) throw new Error(`${region}.${node} answered something else: ${read.problems.join('; ')}`);
  return read.value;
}
