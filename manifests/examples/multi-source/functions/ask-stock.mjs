// How many there are. A real one would ask a database here.
const STOCK = { kettle: 4, lamp: 0 };

export default ({ data: { product } }) => ({
  type: 'com.example.stock.told',
  data: { inStock: STOCK[product] ?? 0 },
});
