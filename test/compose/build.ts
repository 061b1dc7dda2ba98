// Builds the image of docker-compose.yml and prints it as JSON: started by main.ts, in a mount namespace of its own.
import { builtFrom, readComposeFile } from './file.ts';
import { buildImage } from './image.ts';

const image = await buildImage(builtFrom(readComposeFile()), (line) => console.error(line));
process.stdout.write(JSON.stringify(image));
