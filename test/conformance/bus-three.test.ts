import { busConformance } from './bus.ts';
import { modelWorld } from './model-world.ts';
import { clusterWorld } from './real-world.ts';
import { testDefinitions } from './world.ts';

busConformance('the model of three servers', 3, async (streams) =>
  modelWorld(await testDefinitions(streams), 3, 'three'),
);
busConformance('three servers', 3, async (streams) => clusterWorld(await testDefinitions(streams)));
