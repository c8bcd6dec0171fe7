import { processRuntime } from './process.ts';
import { testRuntime } from '../runtime.contract.ts';

testRuntime({ name: 'process', open: () => processRuntime() });
