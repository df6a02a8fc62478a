// node scripts/image/main.ts <agent|coordinator> <folder>: lays out the files of a program's image. Its Dockerfile does so.
import { PROGRAMS } from './bundle.ts';
import { layOutImage } from './root-folder.ts';

const [name, folder] = process.argv.slice(2);
const program = PROGRAMS.find((one) => one === name);
if (program === undefined || folder === undefined) {
  console.error(`node scripts/image/main.ts <${PROGRAMS.join('|')}> <folder>`);
  process.exitCode = 2;
} else {
  await layOutImage(program, folder);
}
