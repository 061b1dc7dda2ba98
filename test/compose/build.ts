// Builds the image of docker-compose.yml and prints it as JSON: started by main.ts, in a mount namespace of its own.
import { join } from 'node:path';
import { projectDir, readComposeFile } from './file.ts';
import { buildImage } from './image.ts';

const built = [...readComposeFile().services.values()].flatMap(({ build }) => build ?? []);
const [build] = built;
if (build === undefined || built.length > 1) throw new Error(`${built.length} services build an image, and not one`);
const image = await buildImage(join(projectDir, build.context, build.dockerfile), (line) => console.error(line));
process.stdout.write(JSON.stringify(image));
