import { busConformance } from './bus.ts';
import { modelWorld } from './model-world.ts';
import { serverWorld } from './real-world.ts';
import { testDefinitions } from './world.ts';

busConformance('the model of one server', 1, async (streams) =>
  modelWorld(await testDefinitions(streams), 1, 'one'),
);
busConformance('one server', 1, async (streams) => serverWorld(await testDefinitions(streams)));
