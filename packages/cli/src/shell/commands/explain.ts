import { BusError } from '@swell/shared/adapters/bus.ts';
import type { NatsBus } from '@swell/shared/adapters/nats-bus.ts';
import { isName, type NodeId, type Region, type ServiceName } from '@swell/shared/domain/names.ts';
import { decode } from '@swell/shared/protocol/codec.ts';
import { explanationSchema } from '@swell/shared/protocol/reports.ts';
import { askSubject, nodeKey, parseNodeSubject, STREAMS } from '@swell/shared/protocol/subjects.ts';
import { row, span } from '../../core/rows.ts';
import { EXIT, type ExitCode } from '../../core/status.ts';
import { atMost, type Command, type Context, serviceOf, textOf } from '../command.ts';
import { askLeader } from '../leader.ts';
import { SCOPE_OPTION, scopeOf } from '../scopes.ts';
import { UsageError } from '../usage.ts';

export const explain: Command = {
  name: 'explain',
  usage: '<service> [--node <node> | <region>.<node>] [--scope <scope>] | <node> | <region>.<node>',
  about: 'Asks the coordinator why a rollout, or a node in it, does not go on; or a node itself',
  options: { node: { type: 'string' }, ...SCOPE_OPTION },
  async run(context) {
    const { args, values, connect } = context;
    const [name] = atMost(1, args);
    if (name === undefined)
      throw new UsageError('<service> or <node> is missing: swell status and swell nodes show them');
    const wanted = textOf(values, 'node');
    if (wanted !== undefined) return explainService(context, serviceOf(name), nameOf(wanted));
    const { region, node } = nameOf(name);
    if (region !== undefined) return explainNode(context, { region, node });
    const place = await find(await connect(), node);
    if (place !== undefined) return explainNode(context, place);
    return explainService(context, name).catch((error: unknown) => {
      const reason = (error as Error).message;
      throw new Error(`no node ${name} is there: swell nodes shows who is. And of a service: ${reason}`, {
        cause: error,
      });
    });
  },
};

/** As it was written: the region may be left out. */
interface NodeName {
  readonly node: NodeId;
  readonly region?: Region;
}

function nameOf(text: string): NodeName {
  const [first = '', second, ...more] = text.split('.');
  if (more.length > 0 || !isName(first) || (second !== undefined && !isName(second)))
    throw new UsageError(`"${text}" is no node: write its name, or <region>.<name>`);
  return second === undefined ? { node: first } : { region: first, node: second };
}

async function explainService(
  { connect, print, values }: Context,
  service: ServiceName,
  node?: NodeName,
): Promise<ExitCode> {
  const answer = await askLeader(await connect(), 'explain', service, {
    ...scopeOf(values),
    ...(node !== undefined && { body: node }),
  });
  print(answer, [row(answer.line)]);
  return EXIT.done;
}

async function explainNode(
  { connect, print }: Context,
  place: { readonly region: Region; readonly node: NodeId },
): Promise<ExitCode> {
  const explanation = await ask(await connect(), place);
  const services = Object.entries(explanation.services);
  print(explanation, [
    row(`${explanation.node} (${explanation.region})`, 'strong'),
    ...services.map(([service, why]) => [span(`  ${service}: `, 'quiet'), span(why)]),
    ...(services.length === 0 ? [row('  it runs no service')] : []),
  ]);
  return EXIT.done;
}

/** By its presence, since whoever asks may not know the region. Missing: none is there, so it may be a service. */
async function find(
  bus: NatsBus,
  node: NodeId,
): Promise<{ readonly region: Region; readonly node: NodeId } | undefined> {
  const found = await bus.readLastOfEach(STREAMS.nodes, [nodeKey('*', node)]);
  const places = found
    .filter(({ deleted }) => !deleted)
    .flatMap(({ subject }) => parseNodeSubject(subject) ?? []);
  const [place] = places;
  if (places.length <= 1) return place;
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
  const read = answer.ok ? decode(answer.value, explanationSchema) : answer;
  if (!read.ok) throw new Error(`${region}.${node} answered something else: ${read.problems.join('; ')}`);
  return read.value;
}
