import { objectStoreContract } from '../store.contract.ts';
import { openSqliteObjects } from './store.ts';
import { temporaryFolder } from './testing.ts';

objectStoreContract('sqlite', async () => {
  const folder = temporaryFolder();
  let store = openSqliteObjects(folder.path);
  return {
    store,
    async reopen() {
      await store.close();
      store = openSqliteObjects(folder.path);
      return store;
    },
    async end() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
});
