// What people say of it.
const REVIEWS = { kettle: ['Boils.', 'Is loud.'] };

export default ({ data: { product } }) => ({
  type: 'com.example.reviews.told',
  data: REVIEWS[product] ?? [],
});
