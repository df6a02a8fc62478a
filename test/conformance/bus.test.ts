import { busConformance } from './bus.ts';
import { modelWorld } from './model-world.ts';
import { clusterWorld, serverWorld } from './real-world.ts';
import { testDefinitions } from './world.ts';

busConformance('the model of one server', 1, async () => modelWorld(await testDefinitions(), 1, 'one'));
busConformance('one server', 1, async () => serverWorld(await testDefinitions()));
busConformance('the model of three servers', 3, async () => modelWorld(await testDefinitions(), 3, 'three'));
busConformance('three servers', 3, async () => clusterWorld(await testDefinitions()));
