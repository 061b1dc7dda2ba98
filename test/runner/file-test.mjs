// Takes the place of `tap` in a test file that shares its process: shared-process.mjs loads it again for each file.
import { current } from './shared-process.mjs';

export * from 'tap';
export default current.test;
