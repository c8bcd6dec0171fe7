import { openMemoryObjects } from './memory.ts';
import { objectStoreContract } from './store.contract.ts';

objectStoreContract('memory', async () => {
  const store = openMemoryObjects();
  return { store, end: () => store.close() };
});
