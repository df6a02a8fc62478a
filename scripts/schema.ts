// npm run schema -- policy|release|control: prints the JSON Schema of what people publish.
import { intentJsonSchemas } from '@swell/shared/protocol/intent.ts';
import { policyJsonSchema } from '@swell/shared/protocol/policy.ts';

const schemas: Readonly<Record<string, () => unknown>> = {
  policy: policyJsonSchema,
  release: () => intentJsonSchemas().release,
  control: () => intentJsonSchemas().control,
};

const wanted = process.argv[2] ?? 'policy';
const schema = schemas[wanted];
if (schema === undefined) {
  console.error(`there is no schema of "${wanted}": there are ${Object.keys(schemas).join(', ')}`);
  process.exitCode = 2;
} else {
  console.log(JSON.stringify(schema(), null, 2));
}
