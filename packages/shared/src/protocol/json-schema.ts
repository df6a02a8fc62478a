import { z } from 'zod';

/**
 * The JSON Schema of what people write. Where that becomes something else when it is read, zod would leave defaults and examples out:
 * it takes them for what it becomes. Ours are what people write (`"5m"`).
 */
export function inputJsonSchema(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      Object.assign(jsonSchema, z.globalRegistry.get(zodSchema));
    },
  });
}
