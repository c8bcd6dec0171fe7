// What it costs. 422 is not tried again: the join names this branch as failed, and goes on with the others.
const PRICES = { kettle: 39 };

export default ({ data: { product } }, { failure }) => {
  const price = PRICES[product];
  if (price === undefined) throw failure(`no price for ${product}`, { status: 422 });
  return { type: 'com.example.price.told', data: { price, currency: 'EUR' } };
};
