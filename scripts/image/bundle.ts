/**
 * One file of a whole program, for its image only: the repository runs as it is (docs/decisions/0020). CommonJS, because a
 * module of Node that is imported has every one of its exports read, and some load half of Node when they are.
 */

import { join, relative, sep } from 'node:path';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { root } from '../setup/places.ts';
import { LEFT_OUT, leaveOut } from './left-out.ts';

export const PROGRAMS = ['agent', 'coordinator'] as const;
export type Program = (typeof PROGRAMS)[number];

export interface Bundle {
  readonly code: string;
  /** The libraries that are in it, by their names. */
  readonly libraries: readonly string[];
  /** The files of {@link LEFT_OUT} that it goes without. */
  readonly leftOut: readonly string[];
}

/** Throws where a library is missing, or anything else is not as it was when this was written. */
export async function bundleProgram(program: Program): Promise<Bundle> {
  const leftOut = new Set<string>();
  await using build = await rolldown({
    input: join(root, 'packages', program, 'src', 'main.ts'),
    platform: 'node',
    plugins: [leaveOut(LEFT_OUT, (file) => leftOut.add(file)), keepPlaces],
    // A library that it asks for politely: coloured words for terminals.
    external: ['supports-color'],
    onLog(_level, log) {
      throw new Error(`the bundle of the ${program}: ${log.message}`);
    },
  });
  const { output } = await build.generate({
    format: 'cjs',
    codeSplitting: false,
    banner: FILE_URL,
    // Functions keep their names, so that a stack in a log can be read.
    minify: {
      mangle: { keepNames: { function: true, class: true } },
      compress: true,
      codegen: { removeWhitespace: true },
    },
  });
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error(`the bundle of the ${program} is more than one file`);
  return { code: inOneByte(chunk.code), libraries: librariesOf(chunk), leftOut: [...leftOut].sort() };
}

/** Where modules look for files beside themselves, they look from the bundle's folder as they did from the root. */
const keepPlaces: Plugin = {
  name: 'keep-places',
  transform(code, id) {
    if (!code.includes('import.meta.url') || id.includes('node_modules')) return undefined;
    const place = JSON.stringify(relative(root, id).split(sep).join('/'));
    return code.replaceAll('import.meta.url', `swellFileUrl(${place})`);
  },
};

const FILE_URL = `const swellFileUrl = (place) => require('node:url').pathToFileURL(require('node:path').join(__dirname, place)).href;`;

/** One letter outside Latin-1 would make V8 keep two bytes for each letter of it. */
function inOneByte(code: string): string {
  return code.replaceAll(
    /[^\0-\xff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function librariesOf({ moduleIds }: OutputChunk): readonly string[] {
  const names = moduleIds.flatMap((id) => {
    const [, name] = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(id) ?? [];
    return name === undefined ? [] : [name.replace('\\', '/')];
  });
  return [...new Set(names)].sort();
}
