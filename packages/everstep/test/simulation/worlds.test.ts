/** More worlds than each run of the tests has time for: `npm run test:long`. */
import { describeWorlds } from './worlds.contract.ts';

describeWorlds(61, 200);
