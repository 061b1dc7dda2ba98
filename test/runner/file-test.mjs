// Takes the place of `tap` in a test file that shares its process: worker.mjs loads it again for each file.
import { current } from './worker.mjs';

export * from 'tap';
export default current.test;
