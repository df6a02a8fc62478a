import { describe } from 'vitest';
import { describeWithDocker } from '../support/needs.ts';
import { engineCases } from './engine.ts';
import { modelEngineWorld } from './engine-model-world.ts';
import { dockerEngineWorld } from './engine-real-world.ts';

describe('the model of a machine:', () => {
  engineCases(modelEngineWorld);
});

describeWithDocker('a machine with Docker:', () => {
  engineCases(dockerEngineWorld);
});
